// SPDX-License-Identifier: GPL-2.0-only
// Pages by their 64-byte blocks; a set of blocks has bit b for block b.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "codec/page.hpp"

namespace replication::codec {

inline constexpr std::uint64_t all_blocks = ~std::uint64_t{0};

// Pages that one thread brings up to date at a time when an epoch commits.
inline constexpr std::size_t commit_grain = 256;

inline void copy_blocks(std::byte* to, const std::byte* from, std::uint64_t blocks) noexcept {
    for (; blocks != 0; blocks &= blocks - 1) {
        const auto at = static_cast<std::size_t>(std::countr_zero(blocks)) * 64;
        std::memcpy(to + at, from + at, 64);
    }
}

// Blocks of `from` one after the other to `to`; returns past the last.
inline std::uint8_t* pack_blocks(std::uint8_t* to, const std::uint8_t* from,
                                 std::uint64_t blocks) noexcept {
    for (; blocks != 0; blocks &= blocks - 1, to += 64)
        std::memcpy(to, from + static_cast<std::size_t>(std::countr_zero(blocks)) * 64, 64);
    return to;
}

// Asks for a page while the one before it is worked on: its first lines would be waited for
// otherwise.
inline void prefetch_page(const std::byte* page) noexcept {
    for (std::size_t at = 0; at < page_size; at += 64) __builtin_prefetch(page + at);
}
inline void prefetch_blocks(const std::uint8_t* page, std::uint64_t blocks) noexcept {
    for (; blocks != 0; blocks &= blocks - 1)
        __builtin_prefetch(page + static_cast<std::size_t>(std::countr_zero(blocks)) * 64);
}

}  // namespace replication::codec
