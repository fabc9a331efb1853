// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstddef>

#include "entropy.hpp"
#include "streams.hpp"
#include "varint.hpp"

namespace replication::codec {

// How pages become chunks.
struct ChunkTraits {
    EntropyTraits masks{};
    EntropyTraits literals{};
    // Instead of `literals` for a chunk with fewer than few_literals of them a page: where there is
    // little to compress, compressing it better costs little time.
    EntropyTraits literals_if_few{};
    std::size_t few_literals = 0;
    // How literals are coded that may refer to history; stored: there is none.
    EntropyTraits literals_after_history{};
    EntropyTraits few_literals_after_history = literals_after_history;
    // Marked bytes from which a word is taken whole; 9: never.
    unsigned whole_word = 9;
    // Pages of a chunk at most, and of one without history.
    std::size_t chunk_pages = max_chunk_pages;
    std::size_t pages_without_history = chunk_pages;

    bool has_entropy() const { return literals.coding != Coding::stored; }
    bool has_history() const { return literals_after_history.coding != Coding::stored; }
};

// The longest header of a chunk.
inline constexpr std::size_t header_bound = (2 + stream_count + 2) * max_varint + 2;

}  // namespace replication::codec
