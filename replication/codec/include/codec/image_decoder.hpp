// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "codec/chunk.hpp"
#include "codec/image_options.hpp"
#include "codec/status.hpp"

namespace replication::codec {

// Rebuilds an image in the memory it is for: guest_pages * page_size bytes, zero at the start, the
// caller's for as long as this object lives.
class ImageDecoder {
  public:
    // Throws std::bad_alloc, std::system_error, and std::invalid_argument for an image of another
    // size.
    ImageDecoder(const ImageOptions& options, std::span<std::byte> image);
    ~ImageDecoder();
    ImageDecoder(const ImageDecoder&) = delete;
    ImageDecoder& operator=(const ImageDecoder&) = delete;

    // The chunks of one batch. After a Status other than ok the image is of no use.
    Status decode(std::span<const Chunk> chunks);

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace replication::codec
