// SPDX-License-Identifier: GPL-2.0-only
#include "stream/record_reader.hpp"

#include <algorithm>

#include "format.hpp"

namespace replication::stream {

// Bytes that the buffer must hold before anything can be done: never more than a record whose
// header was checked.
std::size_t RecordReader::wanted() const {
    if (!begun_) return header_size;
    if (buffer_.size() < record_header_size) return record_header_size;
    return record_header_size + load_at<std::uint32_t>(buffer_, 4) + checksum_size;
}

std::size_t RecordReader::feed(ByteView bytes, const Handler& handle,
                               const std::function<bool()>& done) {
    if (failed_) throw Error(failed_, "replication stream");
    std::size_t taken = 0;
    try {
        while (taken < bytes.size() && !done()) {
            const std::size_t part = std::min(wanted() - buffer_.size(), bytes.size() - taken);
            buffer_.insert(buffer_.end(), bytes.begin() + static_cast<std::ptrdiff_t>(taken),
                           bytes.begin() + static_cast<std::ptrdiff_t>(taken + part));
            taken += part;
            if (begun_ && buffer_.size() == record_header_size)
                require(load_at<std::uint32_t>(buffer_, 4) <= max_payload, StreamErrc::bad_record);
            if (buffer_.size() < wanted()) continue;
            begun_ ? record(handle) : header();
            buffer_.clear();
        }
    } catch (const Error& error) {
        failed_ = error.code();
        throw;
    }
    return taken;
}

void RecordReader::header() {
    require(std::ranges::equal(warmvm::as_byte_view(magic), ByteView(buffer_).first(magic.size())),
            StreamErrc::bad_magic);
    require(load_at<std::uint64_t>(buffer_, 24) ==
                XXH3_64bits(buffer_.data(), header_size - checksum_size),
            StreamErrc::bad_checksum);
    require(load_at<std::uint32_t>(buffer_, 8) == version, StreamErrc::bad_version);
    require(load_at<std::uint32_t>(buffer_, 12) == shape_.guest_pages &&
                load_at<std::uint32_t>(buffer_, 16) == shape_.store_slots &&
                load_at<std::uint32_t>(buffer_, 20) == 0,
            StreamErrc::bad_header);
    begun_ = true;
}

void RecordReader::record(const Handler& handle) {
    const std::size_t covered = buffer_.size() - checksum_size;
    const auto checksum = load_at<std::uint64_t>(buffer_, covered);
    require(checksum == XXH3_64bits(buffer_.data(), covered), StreamErrc::bad_checksum);
    require(load_at<std::uint64_t>(buffer_, 8) == sequence_++, StreamErrc::bad_sequence);
    handle(load_at<std::uint32_t>(buffer_, 0),
           ByteView(buffer_).first(covered).subspan(record_header_size), checksum);
}

}  // namespace replication::stream
