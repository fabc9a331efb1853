// SPDX-License-Identifier: GPL-2.0-only
#include "stream/record_reader.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>

#include "format.hpp"
#include "stream/error.hpp"

namespace replication::stream {

// Bytes that the buffer must hold before anything can be done: never more than a record whose
// header was checked.
std::size_t RecordReader::wanted() const {
    if (!begun_) return header_size;
    if (buffer_.size() < record_header_size) return record_header_size;
    return record_header_size + load<std::uint32_t>(buffer_.data() + 4) + checksum_size;
}

std::size_t RecordReader::feed(std::span<const std::uint8_t> bytes, const Handler& handle,
                               const std::function<bool()>& done) {
    if (failed_) throw std::system_error(failed_);
    std::size_t taken = 0;
    try {
        while (taken < bytes.size() && !done()) {
            const std::size_t part = std::min(wanted() - buffer_.size(), bytes.size() - taken);
            buffer_.insert(buffer_.end(), bytes.begin() + static_cast<std::ptrdiff_t>(taken),
                           bytes.begin() + static_cast<std::ptrdiff_t>(taken + part));
            taken += part;
            if (begun_ && buffer_.size() == record_header_size)
                require(load<std::uint32_t>(buffer_.data() + 4) <= max_payload, Errc::bad_record);
            if (buffer_.size() < wanted()) continue;
            begun_ ? record(handle) : header();
            buffer_.clear();
        }
    } catch (const std::system_error& error) {
        failed_ = error.code();
        throw;
    }
    return taken;
}

void RecordReader::header() {
    const std::uint8_t* at = buffer_.data();
    require(std::equal(magic.begin(), magic.end(), at), Errc::bad_magic);
    require(load<std::uint64_t>(at + 24) == XXH3_64bits(at, header_size - checksum_size),
            Errc::bad_checksum);
    require(load<std::uint32_t>(at + 8) == version, Errc::bad_version);
    require(load<std::uint32_t>(at + 12) == shape_.guest_pages &&
                load<std::uint32_t>(at + 16) == shape_.store_slots &&
                load<std::uint32_t>(at + 20) == 0,
            Errc::bad_header);
    begun_ = true;
}

void RecordReader::record(const Handler& handle) {
    const std::size_t covered = buffer_.size() - checksum_size;
    const auto checksum = load<std::uint64_t>(buffer_.data() + covered);
    require(checksum == XXH3_64bits(buffer_.data(), covered), Errc::bad_checksum);
    require(load<std::uint64_t>(buffer_.data() + 8) == sequence_++, Errc::bad_sequence);
    handle(load<std::uint32_t>(buffer_.data()),
           {buffer_.data() + record_header_size, covered - record_header_size}, checksum);
}

}  // namespace replication::stream
