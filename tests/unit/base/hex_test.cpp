// SPDX-License-Identifier: GPL-2.0-only
#include "base/hex.hpp"

#include <gtest/gtest.h>

#include <array>

namespace warmvm {
namespace {

TEST(Hex, OctetsInTheirOrderAndNumbersWithAllTheirDigits) {
    constexpr std::array octets{std::byte{0}, std::byte{0x0f}, std::byte{0xa9}};
    EXPECT_EQ(hex(ByteView(octets)), "000fa9");
    EXPECT_EQ(hex(ByteView()), "");
    EXPECT_EQ(hex(std::uint64_t{0x123456789abcdef}), "0123456789abcdef");
    EXPECT_EQ(hex(std::uint64_t{0}), "0000000000000000");
}

}  // namespace
}  // namespace warmvm
