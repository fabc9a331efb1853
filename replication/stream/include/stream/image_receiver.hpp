// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "codec/image_decoder.hpp"
#include "stream/record_reader.hpp"

namespace replication::stream {

// The receiving end of an image stream: bytes in as they come, the image in the memory it is for.
// That memory is of no use before complete(). The bytes are not trusted. Memory: the decoder's, and
// the coded bytes of a few chunks a thread.
class ImageReceiver {
  public:
    // `image`: guest_pages * page_size bytes, zero, the caller's; lives as long as this object.
    // Throws as codec::ImageDecoder does.
    ImageReceiver(std::uint32_t guest_pages, std::span<std::byte> image, unsigned threads);

    // Takes bytes up to the end of the image; returns how many it took. Throws Error of
    // stream_category for a damaged stream, and again at every later call.
    std::size_t feed(ByteView bytes);

    // The whole image has come and was verified.
    bool complete() const { return complete_; }

  private:
    void record(std::uint32_t type, ByteView payload, std::uint64_t checksum);
    void decode();

    RecordReader reader_;
    codec::ImageDecoder decoder_;
    std::size_t batch_;
    std::vector<Bytes> chunks_;
    std::uint64_t digest_ = 0;
    std::uint64_t count_ = 0;
    bool complete_ = false;
};

}  // namespace replication::stream
