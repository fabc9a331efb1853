// SPDX-License-Identifier: GPL-2.0-only
#include "codec/workers.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>

namespace replication::codec {
namespace {

TEST(Workers, EveryIndexIsServedOnceByAWorkerThatExists) {
    for (const unsigned threads : {1u, 2u, 7u}) {
        Workers workers(threads);
        EXPECT_EQ(workers.threads(), threads);
        for (const std::size_t count :
             {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{1000}}) {
            for (int again = 0; again < 20; ++again) {
                std::vector<std::atomic<int>> served(count);
                std::atomic<bool> stranger = false;
                workers.each(count, [&](unsigned worker, std::size_t index) {
                    if (worker >= threads) stranger = true;
                    ++served[index];
                });
                EXPECT_FALSE(stranger);
                for (const auto& times : served) ASSERT_EQ(times, 1);
            }
        }
    }
}

TEST(Workers, NoneAreRefused) {
    EXPECT_THROW(Workers workers(0), std::invalid_argument);
}

}  // namespace
}  // namespace replication::codec
