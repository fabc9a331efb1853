// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "codec/chunk.hpp"
#include "codec/page.hpp"
#include "codec/status.hpp"
#include "entropy.hpp"
#include "kernels.hpp"
#include "streams.hpp"

namespace replication::codec {

// Takes one chunk apart: open, head for each of pages(), add_history for each that has an own last
// version, open_literals, one content call for each of pages(), close. Calls in this order; any
// Status but ok ends it. The bytes are not trusted. All memory is taken at construction.
class ChunkReader {
  public:
    explicit ChunkReader(const Kernels& kernels);

    struct Head {
        Pfn pfn;
        Kind kind;
        std::uint64_t reference;
        std::uint64_t differ;  // blocks that the page's difference has; 0 for a kind that has none
    };

    Status open(Chunk chunk) noexcept;
    std::size_t pages() const noexcept { return pages_; }
    // `guest_pages` bounds the pfn.
    Status head(std::uint32_t guest_pages, Head& head) noexcept;
    // `own`: the last version of the page that `head` is of.
    void add_history(const Head& head, const std::uint8_t* own) noexcept;
    Status open_literals() noexcept;
    // Rebuilds the blocks in the set `wanted` of a page, one after the other, into `out`; `base` is
    // the page that the head refers to, if any. `wanted` holds at least head.differ, and is all
    // blocks where the kind has no such set.
    Status content(const Head& head, const std::uint8_t* base, std::uint64_t wanted,
                   std::uint8_t* out) noexcept;
    Status close() const noexcept;

    // Page count of a chunk without opening it; 0 if there is none to be had.
    static std::size_t peek_pages(Chunk chunk) noexcept;

  private:
    struct Body {
        Coding coding;
        std::size_t size;
    };
    Status read_body(const Body& body, const std::uint8_t* at, std::uint8_t* out,
                     std::size_t out_size, std::size_t history) noexcept;

    const Kernels& kernels_;
    Decompressor decompressor_;
    // Large and seldom all in use: not touched before it is.
    std::unique_ptr<std::uint8_t[]> masks_;
    std::unique_ptr<std::uint8_t[]> history_and_literals_;
    std::uint8_t* literals_;
    std::uint8_t* history_ = nullptr;  // grows downwards from literals_
    Body literals_body_{};
    const std::uint8_t* literals_at_ = nullptr;
    std::size_t literals_size_ = 0;
    const std::uint8_t* next_blocks_ = nullptr;  // of the next head with a difference
    const std::uint8_t* heads_ = nullptr;
    const std::uint8_t* heads_end_ = nullptr;
    MaskSource source_{};
    std::size_t pages_ = 0;
    std::uint64_t next_pfn_ = 0;
};

}  // namespace replication::codec
