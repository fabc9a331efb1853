// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "codec/chunk.hpp"
#include "codec/image_options.hpp"
#include "codec/status.hpp"

namespace replication::codec {

// Rebuilds an image in the memory it is for: guest_pages * page_size bytes, zero at the start.
class ImageDecoder {
  public:
    ImageDecoder(const ImageOptions& options, std::uint8_t* image);
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
