// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "codec/page.hpp"
#include "codec/status.hpp"
#include "entropy.hpp"
#include "kernels.hpp"
#include "streams.hpp"

namespace replication::codec {

// Takes one chunk apart: open, then head and one content call for each of pages(), then close.
// The bytes are not trusted. All memory is taken at construction.
class ChunkReader {
  public:
    explicit ChunkReader(const Kernels& kernels);

    struct Head {
        Pfn pfn;
        Kind kind;
        std::uint64_t reference;
    };

    Status open(std::span<const std::uint8_t> chunk) noexcept;
    std::size_t pages() const noexcept { return pages_; }
    // `guest_pages` bounds the pfn.
    Status head(std::uint32_t guest_pages, Head& head) noexcept;
    // Rebuilds a page into page_size bytes at `out`; `base` is the page that `kind` refers to, if any.
    Status content(Kind kind, const std::uint8_t* base, std::uint8_t* out) noexcept;
    // The block mask of the difference that content will take next, if there is one.
    std::uint64_t next_blocks() const noexcept;
    Status close() const noexcept;

    // Page count of a chunk without opening it; 0 if there is none to be had.
    static std::size_t peek_pages(std::span<const std::uint8_t> chunk) noexcept;

  private:
    const Kernels& kernels_;
    Decompressor decompressor_;
    struct Body {
        Coding coding;
        std::size_t size;
    };
    Status read_body(const Body& body, const std::uint8_t* at, std::uint8_t* out, std::size_t out_size) noexcept;

    std::vector<std::uint8_t> masks_;
    std::vector<std::uint8_t> literals_;
    const std::uint8_t* heads_ = nullptr;
    const std::uint8_t* heads_end_ = nullptr;
    MaskSource source_{};
    std::size_t pages_ = 0;
    std::uint64_t next_pfn_ = 0;
    std::int64_t last_reference_ = 0;
};

}  // namespace replication::codec
