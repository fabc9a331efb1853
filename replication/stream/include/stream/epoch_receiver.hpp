// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "codec/epoch_decoder.hpp"
#include "stream/record_reader.hpp"

namespace replication::stream {

// The backup's end of a stream: bytes in as they come, whole verified epochs out. Nothing of an
// epoch can be seen before all of it has been checked and decoded. The bytes are not trusted.
// Memory: the decoder's, and the coded bytes of one epoch.
class EpochReceiver {
  public:
    // The stream must be of this shape. Throws as codec::EpochDecoder does.
    EpochReceiver(const Shape& shape, unsigned threads);

    // Takes bytes up to the end of the next epoch; returns how many it took. Fewer than given means
    // an epoch is ready. Throws Error of stream_category for a damaged stream, and
    // again at every later call.
    std::size_t feed(ByteView bytes);

    // The epoch that is ready, if one is: its number, and its pages to be written to the guest.
    std::optional<std::uint64_t> ready() const { return ready_; }
    std::span<const codec::PageOut> pages() const { return decoder_.pages(); }
    // The pages are in the guest: the epoch is the base of the next.
    void commit() noexcept;

    std::uint64_t committed() const { return committed_; }
    // A new connection, whose stream starts with a header, takes the place of the one before,
    // however that ended. What was committed stays; nothing else of the old stream does.
    void restart() noexcept;
    // No more bytes will come. Throws StreamErrc::truncated unless the last epoch was whole.
    void end() const;

    const codec::PageStore& store() const { return decoder_.store(); }

  private:
    void record(std::uint32_t type, ByteView payload, std::uint64_t checksum);
    void epoch_begin(ByteView payload);
    void epoch_end(ByteView payload);

    Shape shape_;
    RecordReader reader_;
    codec::EpochDecoder decoder_;
    std::vector<Bytes> chunks_;
    std::vector<std::uint64_t> checksums_;
    std::optional<std::uint64_t> ready_;
    bool in_epoch_ = false;
    std::uint64_t epoch_ = 0;
    std::uint32_t pages_ = 0;
    std::uint32_t chunk_count_ = 0;
    std::uint64_t room_ = 0;  // octets that the epoch's other chunks may have
    std::uint64_t committed_ = 0;
};

}  // namespace replication::stream
