// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "chunk_traits.hpp"
#include "codec/page.hpp"
#include "kernels.hpp"
#include "streams.hpp"

namespace replication::codec {

// The first half of coding: the pages of a chunk in, its streams out, which ChunkCoder compresses.
// begin, then one call a page with ascending pfns. All memory is taken at construction.
class PageWriter {
  public:
    PageWriter(const Kernels& kernels, const ChunkTraits& traits);

    // `remember`: literals may refer to history.
    void begin(Pfn first_pfn, bool remember) noexcept;
    void zero(Pfn pfn) noexcept { head(pfn, Kind::zero); }
    void same(Pfn pfn) noexcept { head(pfn, Kind::same); }
    void copy(Pfn pfn, std::uint32_t reference) noexcept { head(pfn, Kind::copy, reference); }
    void raw(Pfn pfn, const std::uint8_t* page) noexcept;
    // `masks` mark what differs from the reference that `kind` names; falls back to raw. Spoils
    // `masks`. `own` is the page's own last version, null if it has none.
    void delta(Pfn pfn, Kind kind, std::uint32_t reference, const std::uint8_t* page,
               const std::uint8_t* own, ByteMasks& masks) noexcept;

    std::size_t pages() const noexcept { return pages_; }
    Pfn first_pfn() const noexcept { return first_pfn_; }
    std::span<const std::uint8_t> stream(Stream stream) const noexcept;
    // The history ends where the literals begin.
    std::span<const std::uint8_t> history() const noexcept { return {history_, literals_}; }

  private:
    void head(Pfn pfn, Kind kind) noexcept;
    void head(Pfn pfn, Kind kind, std::uint32_t reference) noexcept;

    const Kernels& kernels_;
    unsigned whole_word_;
    // The streams that come before the literals.
    std::array<std::unique_ptr<std::uint8_t[]>, literals> buffers_;
    std::unique_ptr<std::uint8_t[]> history_and_literals_;
    std::uint8_t* literals_;
    std::uint8_t* history_ = nullptr;  // grows downwards from the literals
    std::uint8_t* heads_ = nullptr;
    MaskSink sink_{};
    Pfn first_pfn_{};
    std::uint64_t next_pfn_ = 0;
    std::size_t pages_ = 0;
    bool remember_ = false;
};

}  // namespace replication::codec
