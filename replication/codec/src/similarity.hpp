// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "codec/huge_memory.hpp"
#include "codec/page.hpp"

namespace replication::codec {

// Finds pages that look like a given one: Gerofi's content-addressable hash table, chapter 3
// (decisions and what is public of the thesis: docs/design/page-codec.md). A page is described by
// eight signatures, each a bit projection of one 64-byte block: from every 8-byte word the low 12
// and the high 16 bits, which a pointer keeps when address space randomisation moves it. The table
// maps a signature to the last slot that had it at that place. Sender only: nothing of it goes on
// the wire and a wrong guess costs time, not correctness. Memory: 32 to 64 bytes a slot, taken at
// construction.
class SimilarityIndex {
  public:
    static constexpr std::size_t blocks_sampled = 8;
    static constexpr std::size_t max_candidates = 8;

    // The smallest table that has an entry for every signature of `slots` pages.
    explicit SimilarityIndex(std::uint32_t slots);

    struct Candidates {
        std::array<std::uint32_t, max_candidates> slot;
        std::size_t count = 0;
    };

    // A page's signatures.
    struct Keys {
        std::array<std::uint32_t, blocks_sampled> key;
        std::uint32_t count = 0;
    };
    static Keys keys_of(const std::uint8_t* page) noexcept;

    // Slots that share signatures with the page, most shared first, at most `limit`. The slots may
    // have changed since.
    Candidates find(const Keys& keys, std::size_t limit) const noexcept;

    void insert(std::uint32_t slot, const Keys& keys) noexcept;

  private:
    unsigned shift_;
    HugeArray<std::uint32_t> table_;  // slot + 1; 0: none
};

}  // namespace replication::codec
