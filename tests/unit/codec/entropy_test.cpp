// SPDX-License-Identifier: GPL-2.0-only
#include "entropy.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "pages.hpp"

namespace replication::codec {
namespace {

using Bytes = std::vector<std::uint8_t>;

// What a chunk becomes must not depend on the chunk before it in the same thread.
TEST(Compressor, UsesHistoryAfterInputThatDidNotCompress) {
    constexpr std::size_t size = 100'000;
    test::Random random(7);
    Bytes twice(size);
    for (auto& byte : twice) byte = static_cast<std::uint8_t>(random());
    twice.insert(twice.end(), twice.begin(), twice.end());
    Bytes noise(2 * size);
    for (auto& byte : noise) byte = static_cast<std::uint8_t>(random());
    Bytes out(size);

    const EntropyTraits traits{.coding = Coding::zstd, .level = 1};
    Compressor fresh(traits);
    const auto expected = fresh.compress(twice.data() + size, size, out.data(), size);
    ASSERT_NE(expected, 0u);
    ASSERT_LT(expected, size / 10) << "history is what makes it small";

    Compressor used(traits);
    ASSERT_EQ(used.compress(noise.data() + size, size, out.data(), size), 0u);
    EXPECT_EQ(used.compress(twice.data() + size, size, out.data(), size), expected);
}

}  // namespace
}  // namespace replication::codec
