// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <functional>
#include <system_error>

#include "codec/page.hpp"
#include "stream/shape.hpp"

namespace replication::stream {

// Takes a stream apart into its header and records (docs/specs/stream.md) and checks what is common
// to all of them. The bytes are not trusted. Memory: one record.
class RecordReader {
  public:
    // The stream must be of this shape.
    explicit RecordReader(const Shape& shape) : shape_(shape) {}

    // A checked record. Throws Error of stream_category if it may not come here.
    using Handler =
        std::function<void(std::uint32_t type, ByteView payload, std::uint64_t checksum)>;

    // Takes bytes and hands out the records they complete, until `done` says so after one; returns
    // how many it took. Throws Error of stream_category for a damaged stream, and again
    // at every later call.
    std::size_t feed(ByteView bytes, const Handler& handle, const std::function<bool()>& done);

    // The header has come and no record is half there.
    bool between_records() const { return begun_ && buffer_.empty(); }

  private:
    std::size_t wanted() const;
    void header();
    void record(const Handler& handle);

    Shape shape_;
    Bytes buffer_;
    std::error_code failed_;
    bool begun_ = false;
    std::uint64_t sequence_ = 0;
};

}  // namespace replication::stream
