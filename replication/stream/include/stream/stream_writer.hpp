// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <span>

#include "codec/chunk.hpp"
#include "codec/page.hpp"
#include "stream/shape.hpp"

namespace replication::stream {

// Frames epochs, or an image (docs/specs/stream.md): bytes are appended to a buffer that the caller
// sends. Throws std::bad_alloc, std::length_error for a chunk that the format has no room for.
class StreamWriter {
  public:
    // Writes the header of a stream of epochs or, for a shape without slots, of an image.
    StreamWriter(const Shape& shape, Bytes& out);

    // `epoch` > `base`, the epoch last committed; `pages` in all the chunks.
    void epoch(std::uint64_t epoch, std::uint64_t base, std::uint32_t pages,
               std::span<const codec::Chunk> chunks);

    // The chunks of a batch of an image; then, once all have come, its end.
    void image(std::span<const codec::Chunk> chunks);
    void image_end();

  private:
    std::uint64_t record(std::uint32_t type, ByteView payload);

    Bytes& out_;
    std::uint64_t sequence_ = 0;
    std::uint64_t image_chunks_ = 0;
    std::uint64_t image_digest_ = 0;
};

}  // namespace replication::stream
