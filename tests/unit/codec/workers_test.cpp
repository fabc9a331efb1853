// SPDX-License-Identifier: GPL-2.0-only
#include "codec/workers.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <system_error>

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

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
[[noreturn]] void start_more_than_there_is_room_for() {
    constexpr rlim_t some_stacks = rlim_t{256} << 20;
    rlimit limit{};
    limit.rlim_cur = limit.rlim_max = some_stacks;
    if (::setrlimit(RLIMIT_AS, &limit) != 0) std::_Exit(2);
    try {
        constexpr unsigned too_many = 1000;
        const Workers workers(too_many);
    } catch (const std::system_error&) {
        std::_Exit(0);
    }
    std::_Exit(1);
}

// Not with a sanitizer, which takes more address space than there is then.
TEST(Workers, AThreadThatCannotStartIsAnError) {
    EXPECT_EXIT(start_more_than_there_is_room_for(), ::testing::ExitedWithCode(0), "");
}
#endif

}  // namespace
}  // namespace replication::codec
