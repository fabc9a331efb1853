// SPDX-License-Identifier: GPL-2.0-only
// What writer and reader of a chunk share (docs/specs/page-coding.md).
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <numeric>

#include "codec/page.hpp"

namespace replication::codec {

inline constexpr std::size_t max_chunk_pages = 2048;

enum Stream : std::size_t { heads, blocks, words, bytes, literals, stream_count };

// The most a page can put in each stream.
inline constexpr std::array<std::size_t, stream_count> stream_bound{18, 8, 64, 512, page_size};
inline constexpr std::size_t page_bound =
    std::accumulate(stream_bound.begin(), stream_bound.end(), std::size_t{0});

enum class Kind : std::uint8_t {
    zero,
    same,
    delta_repeat,
    raw,
    delta_self,
    delta_zero,
    delta_candidate,
    copy
};

inline constexpr unsigned gap_escape = 31;

enum class Coding : std::uint8_t { stored, zstd, lz4, zstd_history };

// Which blocks of a page's own last version are part of its chunk's history; `differ` are the
// blocks of a difference.
constexpr std::uint64_t history_blocks(Kind kind, std::uint64_t differ) {
    constexpr int few = 8;
    switch (kind) {
        case Kind::delta_repeat:
        case Kind::raw:
        case Kind::delta_zero:
            return ~std::uint64_t{0};
        case Kind::delta_self:
            return std::popcount(differ) < few ? 0 : differ;
        case Kind::zero:
        case Kind::same:
        case Kind::delta_candidate:
        case Kind::copy:
            break;
    }
    return 0;
}

// All of a page's bytes zero: the reference of Kind::delta_zero.
alignas(64) inline constexpr std::array<std::uint8_t, page_size> zero_page{};

}  // namespace replication::codec
