// SPDX-License-Identifier: GPL-2.0-only
#include "stream/epoch_receiver.hpp"

#include "format.hpp"

namespace replication::stream {
namespace {

codec::EpochOptions options_of(const Shape& shape, unsigned threads) {
    codec::EpochOptions options;
    options.guest_pages = shape.guest_pages;
    options.store_slots = shape.store_slots;
    options.threads = threads;
    return options;
}

}  // namespace

EpochReceiver::EpochReceiver(const Shape& shape, unsigned threads)
    : shape_(shape), reader_(shape), decoder_(options_of(shape, threads)) {}

std::size_t EpochReceiver::feed(ByteView bytes) {
    try {
        return reader_.feed(
            bytes,
            [this](auto type, auto payload, auto checksum) { record(type, payload, checksum); },
            [this] { return ready_.has_value(); });
    } catch (const Error&) {
        decoder_.abandon();
        throw;
    }
}

void EpochReceiver::record(std::uint32_t type, ByteView payload, std::uint64_t checksum) {
    switch (static_cast<Type>(type)) {
        case Type::epoch_begin:
            return epoch_begin(payload);
        case Type::chunk:
            require(in_epoch_ && chunks_.size() < chunk_count_, StreamErrc::bad_record);
            // Before it is kept: the chunks are decoded at the epoch's end only.
            require(payload.size() <= room_, StreamErrc::bad_record);
            room_ -= payload.size();
            chunks_.emplace_back(payload.begin(), payload.end());
            checksums_.push_back(checksum);
            return;
        case Type::epoch_end:
            return epoch_end(payload);
        case Type::image_end:
            break;
    }
    require(false, StreamErrc::bad_record);
}

void EpochReceiver::epoch_begin(ByteView payload) {
    require(!in_epoch_ && payload.size() == epoch_begin_size, StreamErrc::bad_record);
    epoch_ = load_at<std::uint64_t>(payload, 0);
    require(load_at<std::uint64_t>(payload, 8) == committed_, StreamErrc::wrong_base);
    pages_ = load_at<std::uint32_t>(payload, 16);
    chunk_count_ = load_at<std::uint32_t>(payload, 20);
    require(epoch_ > committed_ && pages_ <= shape_.guest_pages && chunk_count_ <= pages_,
            StreamErrc::bad_epoch);
    chunks_.clear();
    checksums_.clear();
    room_ = chunk_count_ * max_chunk_header + pages_ * max_coded_page;
    in_epoch_ = true;
}

void EpochReceiver::epoch_end(ByteView payload) {
    require(in_epoch_ && payload.size() == epoch_end_size && chunks_.size() == chunk_count_,
            StreamErrc::bad_record);
    require(load_at<std::uint64_t>(payload, 0) == epoch_, StreamErrc::bad_epoch);
    const std::uint64_t digest =
        XXH3_64bits_withSeed(checksums_.data(), checksums_.size() * sizeof(std::uint64_t), epoch_);
    require(load_at<std::uint64_t>(payload, 8) == digest, StreamErrc::bad_epoch);
    const std::vector<codec::Chunk> views(chunks_.begin(), chunks_.end());
    require_decoded(decoder_.decode(views));
    require(decoder_.pages().size() == pages_, StreamErrc::bad_epoch);
    in_epoch_ = false;
    ready_ = epoch_;
}

void EpochReceiver::commit() noexcept {
    if (!ready_) return;
    decoder_.commit();
    committed_ = *ready_;
    ready_.reset();
}

void EpochReceiver::restart() noexcept {
    reader_ = RecordReader(shape_);
    decoder_.abandon();
    ready_.reset();
    in_epoch_ = false;
}

void EpochReceiver::end() const {
    require(reader_.between_records() && !in_epoch_, StreamErrc::truncated);
}

}  // namespace replication::stream
