// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "codec/page.hpp"
#include "entropy.hpp"
#include "kernels.hpp"
#include "streams.hpp"

namespace replication::codec {

struct ChunkTraits {
    EntropyTraits masks{};
    EntropyTraits literals{};
    // Instead of `literals` for a chunk with fewer than few_literals of them a page: where there is
    // little to compress, compressing it better costs little time.
    EntropyTraits literals_if_few{};
    std::size_t few_literals = 0;
    // How literals are coded that may refer to history; stored: there is none.
    EntropyTraits literals_after_history{};
    // Marked bytes from which a word is taken whole; 9: never.
    unsigned whole_word = 9;
    std::size_t max_pages = max_chunk_pages;
};

// Builds one chunk: begin, one call a page with ascending pfns, finish. All memory is taken at
// construction.
class ChunkWriter {
  public:
    ChunkWriter(const Kernels& kernels, const ChunkTraits& traits);

    // Whether the literals may refer to history, and whether to find out: then they are coded both
    // ways, the shorter is taken, and trial() has the sizes.
    enum class History { without, with, both };
    void begin(Pfn first_pfn, History use) noexcept;
    void zero(Pfn pfn) noexcept { head(pfn, Kind::zero); }
    void same(Pfn pfn) noexcept { head(pfn, Kind::same); }
    void copy(Pfn pfn, std::uint32_t reference) noexcept;
    // `masks` mark what differs from the reference that `kind` names; falls back to raw. Spoils
    // `masks`. `own` is the page's own last version, null if it has none.
    void delta(Pfn pfn, Kind kind, std::uint32_t reference, const std::uint8_t* page,
               const std::uint8_t* own, ByteMasks& masks) noexcept;

    struct Trial {
        std::size_t without = 0;
        std::size_t with = 0;
    };

    // The chunk, somewhere within `out`, which has room for bound().
    std::span<const std::uint8_t> finish(std::uint8_t* out) noexcept;
    const Trial& trial() const noexcept { return trial_; }

    // Largest chunk of `pages` pages, with room to work.
    static std::size_t bound(std::size_t pages) noexcept;

  private:
    void head(Pfn pfn, Kind kind) noexcept;
    void head(Pfn pfn, Kind kind, std::uint32_t reference) noexcept;
    void remember(Kind kind, const std::uint8_t* own, std::uint64_t differ) noexcept;

    const Kernels& kernels_;
    ChunkTraits traits_;
    Compressor mask_compressor_;
    Compressor literal_compressor_;
    Compressor few_literals_compressor_;
    Compressor history_compressor_;
    std::array<std::unique_ptr<std::uint8_t[]>, literals>
        buffers_;  // of the streams before the literals
    std::unique_ptr<std::uint8_t[]> history_and_literals_;
    std::uint8_t* literals_start_;
    std::uint8_t* history_;  // grows downwards from the literals
    std::uint8_t* heads_;
    MaskSink sink_;
    std::unique_ptr<std::uint8_t[]> masks_;
    Pfn first_pfn_{};
    std::uint32_t next_pfn_ = 0;
    std::uint32_t last_reference_ = 0;
    std::size_t pages_ = 0;
    History use_ = History::without;
    Trial trial_;
};

}  // namespace replication::codec
