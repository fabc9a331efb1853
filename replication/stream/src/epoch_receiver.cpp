// SPDX-License-Identifier: GPL-2.0-only
#include "stream/epoch_receiver.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>

#include "format.hpp"
#include "stream/error.hpp"

namespace replication::stream {
namespace {

codec::EpochOptions options_of(const Shape& shape, unsigned threads) {
    codec::EpochOptions options;
    options.guest_pages = shape.guest_pages;
    options.store_slots = shape.store_slots;
    options.threads = threads;
    return options;
}

void require(bool ok, Errc code) {
    if (!ok) throw std::system_error(make_error_code(code));
}

}  // namespace

EpochReceiver::EpochReceiver(const Shape& shape, unsigned threads)
    : shape_(shape), decoder_(options_of(shape, threads)) {}

// Bytes that the buffer must hold before anything can be done: never more than a record whose header was checked.
std::size_t EpochReceiver::wanted() const {
    if (!begun_) return header_size;
    if (buffer_.size() < record_header_size) return record_header_size;
    return record_header_size + load<std::uint32_t>(buffer_.data() + 4) + checksum_size;
}

std::size_t EpochReceiver::feed(std::span<const std::uint8_t> bytes) {
    if (failed_) throw std::system_error(failed_);
    std::size_t taken = 0;
    try {
        while (taken < bytes.size() && !ready_) {
            const std::size_t part = std::min(wanted() - buffer_.size(), bytes.size() - taken);
            buffer_.insert(buffer_.end(), bytes.begin() + static_cast<std::ptrdiff_t>(taken),
                           bytes.begin() + static_cast<std::ptrdiff_t>(taken + part));
            taken += part;
            if (begun_ && buffer_.size() == record_header_size)
                require(load<std::uint32_t>(buffer_.data() + 4) <= max_payload, Errc::bad_record);
            if (buffer_.size() < wanted()) continue;
            begun_ ? record() : header();
            buffer_.clear();
        }
    } catch (const std::system_error& error) {
        failed_ = error.code();
        decoder_.abandon();
        throw;
    }
    return taken;
}

void EpochReceiver::header() {
    const std::uint8_t* at = buffer_.data();
    require(std::equal(magic.begin(), magic.end(), at), Errc::bad_magic);
    require(load<std::uint64_t>(at + 24) == XXH3_64bits(at, header_size - checksum_size), Errc::bad_checksum);
    require(load<std::uint32_t>(at + 8) == version, Errc::bad_version);
    require(load<std::uint32_t>(at + 12) == shape_.guest_pages && load<std::uint32_t>(at + 16) == shape_.store_slots &&
                load<std::uint32_t>(at + 20) == 0,
            Errc::bad_header);
    begun_ = true;
}

void EpochReceiver::record() {
    const std::size_t covered = buffer_.size() - checksum_size;
    const auto checksum = load<std::uint64_t>(buffer_.data() + covered);
    require(checksum == XXH3_64bits(buffer_.data(), covered), Errc::bad_checksum);
    require(load<std::uint64_t>(buffer_.data() + 8) == sequence_++, Errc::bad_sequence);
    const std::span payload{buffer_.data() + record_header_size, covered - record_header_size};
    switch (static_cast<Type>(load<std::uint32_t>(buffer_.data()))) {
        case Type::epoch_begin: return epoch_begin(payload);
        case Type::chunk:
            require(in_epoch_ && chunks_.size() < chunk_count_, Errc::bad_record);
            chunks_.emplace_back(payload.begin(), payload.end());
            checksums_.push_back(checksum);
            return;
        case Type::epoch_end: return epoch_end(payload);
    }
    require(false, Errc::bad_record);
}

void EpochReceiver::epoch_begin(std::span<const std::uint8_t> payload) {
    require(!in_epoch_ && payload.size() == epoch_begin_size, Errc::bad_record);
    epoch_ = load<std::uint64_t>(payload.data());
    require(load<std::uint64_t>(payload.data() + 8) == committed_, Errc::wrong_base);
    pages_ = load<std::uint32_t>(payload.data() + 16);
    chunk_count_ = load<std::uint32_t>(payload.data() + 20);
    require(epoch_ > committed_ && pages_ <= shape_.guest_pages && chunk_count_ <= pages_, Errc::bad_epoch);
    chunks_.clear();
    checksums_.clear();
    in_epoch_ = true;
}

void EpochReceiver::epoch_end(std::span<const std::uint8_t> payload) {
    require(in_epoch_ && payload.size() == epoch_end_size && chunks_.size() == chunk_count_, Errc::bad_record);
    require(load<std::uint64_t>(payload.data()) == epoch_, Errc::bad_epoch);
    const std::uint64_t digest =
        XXH3_64bits_withSeed(checksums_.data(), checksums_.size() * sizeof(std::uint64_t), epoch_);
    require(load<std::uint64_t>(payload.data() + 8) == digest, Errc::bad_epoch);
    const std::vector<codec::EpochEncoder::Chunk> views(chunks_.begin(), chunks_.end());
    require(decoder_.decode(views) == codec::Status::ok, Errc::bad_pages);
    require(decoder_.pages().size() == pages_, Errc::bad_epoch);
    in_epoch_ = false;
    ready_ = epoch_;
}

void EpochReceiver::commit() noexcept {
    if (!ready_) return;
    decoder_.commit();
    committed_ = *ready_;
    ready_.reset();
}

void EpochReceiver::end() const { require(begun_ && buffer_.empty() && !in_epoch_, Errc::cut_short); }

}  // namespace replication::stream
