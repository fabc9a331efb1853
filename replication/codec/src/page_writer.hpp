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

// The first half of coding: pages in, streams out that are not compressed yet. One or more of them
// in a row make a chunk (chunk_coder.hpp), so several threads can work on one chunk's pages. begin,
// then one call a page with ascending pfns. All memory is taken at construction.
class PageWriter {
  public:
    PageWriter(const Kernels& kernels, const ChunkTraits& traits);

    // `next_pfn`: what the first page's gap counts from. `remember`: literals may refer to history.
    void begin(std::uint32_t next_pfn, bool remember) noexcept;
    void zero(Pfn pfn) noexcept { head(pfn, Kind::zero); }
    void same(Pfn pfn) noexcept { head(pfn, Kind::same); }
    void copy(Pfn pfn, std::uint32_t reference) noexcept { head(pfn, Kind::copy, reference); }
    void raw(Pfn pfn, const std::uint8_t* page) noexcept;
    // `masks` mark what differs from the reference that `kind` names; falls back to raw. Spoils
    // `masks`. `own` is the page's own last version, null if it has none.
    void delta(Pfn pfn, Kind kind, std::uint32_t reference, const std::uint8_t* page,
               const std::uint8_t* own, ByteMasks& masks) noexcept;

    std::size_t pages() const noexcept { return pages_; }
    std::uint32_t begins_at() const noexcept { return begins_at_; }
    std::span<const std::uint8_t> stream(Stream stream) const noexcept;
    // It ends where the literals begin.
    std::span<const std::uint8_t> history() const noexcept { return {history_, literals_}; }
    // All streams together.
    std::size_t size() const noexcept;

  private:
    void head(Pfn pfn, Kind kind) noexcept;
    void head(Pfn pfn, Kind kind, std::uint32_t reference) noexcept;

    const Kernels& kernels_;
    unsigned whole_word_;
    // Of the streams before the literals.
    std::array<std::unique_ptr<std::uint8_t[]>, literals> buffers_;
    std::unique_ptr<std::uint8_t[]> history_and_literals_;
    std::uint8_t* literals_;
    std::uint8_t* history_ = nullptr;  // grows downwards from the literals
    std::uint8_t* heads_ = nullptr;
    MaskSink sink_{};
    std::uint32_t begins_at_ = 0;
    std::uint32_t next_pfn_ = 0;
    std::size_t pages_ = 0;
    bool remember_ = false;
};

}  // namespace replication::codec
