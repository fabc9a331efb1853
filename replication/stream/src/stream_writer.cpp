// SPDX-License-Identifier: GPL-2.0-only
#include "stream/stream_writer.hpp"

#include <stdexcept>

#include "format.hpp"

namespace replication::stream {

StreamWriter::StreamWriter(const Shape& shape, Bytes& out) : out_(out) {
    const std::size_t start = out.size();
    append(out, warmvm::as_byte_view(magic));
    append(out, version);
    append(out, shape.guest_pages);
    append(out, shape.store_slots);
    append(out, std::uint32_t{0});
    append(out, XXH3_64bits(out.data() + start, header_size - checksum_size));
}

std::uint64_t StreamWriter::record(std::uint32_t type, ByteView payload) {
    if (payload.size() > max_payload) throw std::length_error("record too long for the stream");
    const std::size_t start = out_.size();
    append(out_, type);
    append(out_, static_cast<std::uint32_t>(payload.size()));
    append(out_, sequence_++);
    append(out_, payload);
    const std::uint64_t checksum = XXH3_64bits(out_.data() + start, out_.size() - start);
    append(out_, checksum);
    return checksum;
}

void StreamWriter::epoch(std::uint64_t epoch, std::uint64_t base, std::uint32_t pages,
                         std::span<const codec::Chunk> chunks) {
    Bytes payload;
    append(payload, epoch);
    append(payload, base);
    append(payload, pages);
    append(payload, static_cast<std::uint32_t>(chunks.size()));
    record(static_cast<std::uint32_t>(Type::epoch_begin), payload);
    std::vector<std::uint64_t> checksums;
    for (const codec::Chunk& chunk : chunks)
        checksums.push_back(record(static_cast<std::uint32_t>(Type::chunk), chunk));
    payload.clear();
    append(payload, epoch);
    append(payload,
           XXH3_64bits_withSeed(checksums.data(), checksums.size() * sizeof checksums[0], epoch));
    record(static_cast<std::uint32_t>(Type::epoch_end), payload);
}

void StreamWriter::image(std::span<const codec::Chunk> chunks) {
    for (const codec::Chunk& chunk : chunks) {
        image_digest_ =
            chain(image_digest_, record(static_cast<std::uint32_t>(Type::chunk), chunk));
        ++image_chunks_;
    }
}

void StreamWriter::image_end() {
    Bytes payload;
    append(payload, image_chunks_);
    append(payload, image_digest_);
    record(static_cast<std::uint32_t>(Type::image_end), payload);
}

}  // namespace replication::stream
