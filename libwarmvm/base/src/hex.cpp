// SPDX-License-Identifier: GPL-2.0-only
#include "base/hex.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace warmvm {

std::string hex(ByteView bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(2 * bytes.size());
    for (const auto byte : bytes) {
        const auto octet = std::to_integer<unsigned>(byte);
        text += digits[octet >> 4];
        text += digits[octet & 15];
    }
    return text;
}

std::string hex(std::uint64_t number) {
    std::array<std::uint64_t, 1> octets{number};
    const auto bytes = std::as_writable_bytes(std::span(octets));
    std::ranges::reverse(bytes);
    return hex(ByteView(bytes));
}

}  // namespace warmvm
