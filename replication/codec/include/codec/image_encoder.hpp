// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "codec/chunk.hpp"
#include "codec/image_options.hpp"
#include "codec/page.hpp"

namespace replication::codec {

// A whole image, for the first full copy and for migration: zero pages, run length, and fixed-chunk
// deduplication (Yamada's algorithms), what remains through the entropy stage. Streaming: pages
// come in batches with ascending pfns. Two pages count as equal when their 128-bit xxh3 are: the
// source may be running and the earlier page gone, so it cannot be compared. By chance one of n
// pages is wrong with odds of n^2 / 2^129, below 10^-18 for 16 TiB; xxh3 does not resist a guest
// that builds collisions, which could spoil its own pages only.
class ImageEncoder {
  public:
    // Throws std::bad_alloc, std::system_error, std::invalid_argument.
    explicit ImageEncoder(const ImageOptions& options);
    ~ImageEncoder();
    ImageEncoder(const ImageEncoder&) = delete;
    ImageEncoder& operator=(const ImageEncoder&) = delete;

    static constexpr std::size_t batch_pages = 8192;

    // At most batch_pages pages, ascending, also over calls; throws std::invalid_argument
    // otherwise. The chunks live until the next call and do not depend on threads or isa.
    std::span<const Chunk> encode(std::span<const PageIn> pages);

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace replication::codec
