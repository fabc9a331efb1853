// SPDX-License-Identifier: GPL-2.0-only
#include "chunk_reader.hpp"

#include <cstring>
#include <limits>

#include "varint.hpp"

namespace replication::codec {

ChunkReader::ChunkReader(const Kernels& kernels) : kernels_(kernels) {
    for (std::size_t s = 0; s < stream_count; ++s)
        buffers_[s].resize(max_chunk_pages * stream_bound[s] + stream_slack);
}

std::size_t ChunkReader::peek_pages(std::span<const std::uint8_t> chunk) noexcept {
    std::uint64_t pages = 0;
    if (read_varint(chunk.data(), chunk.data() + chunk.size(), pages) == nullptr) return 0;
    return pages <= max_chunk_pages ? static_cast<std::size_t>(pages) : 0;
}

Status ChunkReader::open(std::span<const std::uint8_t> chunk) noexcept {
    const std::uint8_t* at = chunk.data();
    const std::uint8_t* const end = at + chunk.size();
    std::uint64_t pages = 0;
    if ((at = read_varint(at, end, pages)) == nullptr) return Status::truncated;
    if ((at = read_varint(at, end, next_pfn_)) == nullptr) return Status::truncated;
    if (pages == 0 || pages > max_chunk_pages) return Status::bad_header;
    if (next_pfn_ > std::numeric_limits<std::uint32_t>::max()) return Status::bad_header;
    pages_ = static_cast<std::size_t>(pages);
    last_reference_ = 0;

    struct Part {
        Coding coding;
        std::size_t raw;
        std::size_t coded;
    };
    std::array<Part, stream_count> parts;
    for (std::size_t s = 0; s < stream_count; ++s) {
        if (at == end) return Status::truncated;
        const std::uint8_t coding = *at++;
        std::uint64_t raw = 0;
        if ((at = read_varint(at, end, raw)) == nullptr) return Status::truncated;
        std::uint64_t coded = raw;
        if (coding > static_cast<std::uint8_t>(Coding::lz4)) return Status::bad_header;
        if (coding != 0 && (at = read_varint(at, end, coded)) == nullptr) return Status::truncated;
        if (raw > pages_ * stream_bound[s] || coded > raw) return Status::bad_header;
        parts[s] = {static_cast<Coding>(coding), static_cast<std::size_t>(raw), static_cast<std::size_t>(coded)};
    }
    for (std::size_t s = 0; s < stream_count; ++s) {
        const Part& part = parts[s];
        if (static_cast<std::size_t>(end - at) < part.coded) return Status::truncated;
        std::uint8_t* raw = buffers_[s].data();
        switch (part.coding) {
            case Coding::stored: std::memcpy(raw, at, part.raw); break;
            case Coding::zstd:
                if (!decompressor_.zstd(at, part.coded, raw, part.raw)) return Status::bad_entropy;
                break;
            case Coding::lz4:
                if (!Decompressor::lz4(at, part.coded, raw, part.raw)) return Status::bad_entropy;
                break;
        }
        at += part.coded;
    }
    if (at != end) return Status::trailing;

    const auto begin_of = [&](Stream s) { return buffers_[s].data(); };
    const auto end_of = [&](Stream s) { return buffers_[s].data() + parts[s].raw; };
    heads_ = begin_of(heads);
    heads_end_ = end_of(heads);
    source_ = {begin_of(blocks), begin_of(words), begin_of(bytes), begin_of(literals),
               end_of(blocks),   end_of(words),   end_of(bytes),   end_of(literals)};
    return Status::ok;
}

Status ChunkReader::head(std::uint32_t guest_pages, Head& head) noexcept {
    if (heads_ == heads_end_) return Status::truncated;
    const std::uint8_t byte = *heads_++;
    head.kind = static_cast<Kind>(byte & 7);
    std::uint64_t gap = byte >> 3;
    if (gap == gap_escape) {
        if ((heads_ = read_varint(heads_, heads_end_, gap)) == nullptr) return Status::truncated;
        if (gap > std::numeric_limits<std::uint32_t>::max()) return Status::bad_pfn;
        gap += gap_escape;
    }
    const std::uint64_t pfn = next_pfn_ + gap;
    if (pfn >= guest_pages) return Status::bad_pfn;
    head.pfn = static_cast<Pfn>(pfn);
    next_pfn_ = pfn + 1;
    head.reference = 0;
    if (head.kind == Kind::delta_candidate || head.kind == Kind::copy) {
        std::uint64_t step = 0;
        if ((heads_ = read_varint(heads_, heads_end_, step)) == nullptr) return Status::truncated;
        if (step > std::uint64_t{2} * std::numeric_limits<std::uint32_t>::max()) return Status::bad_reference;
        last_reference_ += unzigzag(step);
        if (last_reference_ < 0 || last_reference_ > std::numeric_limits<std::uint32_t>::max())
            return Status::bad_reference;
        head.reference = static_cast<std::uint64_t>(last_reference_);
    }
    return Status::ok;
}

Status ChunkReader::content(Kind kind, const std::uint8_t* base, std::uint8_t* out) noexcept {
    const std::ptrdiff_t literals_left = source_.literals_end - source_.literals;
    switch (kind) {
        case Kind::zero: std::memset(out, 0, page_size); break;
        case Kind::run:
            if (literals_left < 8) return Status::truncated;
            for (std::size_t i = 0; i < page_size; i += 8) std::memcpy(out + i, source_.literals, 8);
            source_.literals += 8;
            break;
        case Kind::raw:
            if (literals_left < static_cast<std::ptrdiff_t>(page_size)) return Status::truncated;
            std::memcpy(out, source_.literals, page_size);
            source_.literals += page_size;
            break;
        case Kind::same:
        case Kind::copy: std::memcpy(out, base, page_size); break;
        case Kind::delta_self:
        case Kind::delta_zero:
        case Kind::delta_candidate:
            if (!kernels_.apply(base, out, source_)) return Status::truncated;
            break;
    }
    return Status::ok;
}

Status ChunkReader::close() const noexcept {
    const bool all = heads_ == heads_end_ && source_.blocks == source_.blocks_end &&
                     source_.words == source_.words_end && source_.bytes == source_.bytes_end &&
                     source_.literals == source_.literals_end;
    return all ? Status::ok : Status::trailing;
}

}  // namespace replication::codec
