// SPDX-License-Identifier: GPL-2.0-only
#include "chunk_reader.hpp"

#include <cstring>
#include <limits>

#include "blocks.hpp"
#include "octets.hpp"
#include "varint.hpp"

namespace replication::codec {

ChunkReader::ChunkReader(const Kernels& kernels)
    : kernels_(kernels),
      masks_(std::make_unique_for_overwrite<std::uint8_t[]>(
          max_chunk_pages * (stream_bound[heads] + stream_bound[blocks] + stream_bound[words] +
                             stream_bound[bytes]) +
          stream_slack)),
      history_and_literals_(std::make_unique_for_overwrite<std::uint8_t[]>(
          max_chunk_pages * (page_size + stream_bound[literals]) + stream_slack)),
      literals_(history_and_literals_.get() + max_chunk_pages * page_size) {}

std::size_t ChunkReader::peek_pages(Chunk chunk) noexcept {
    std::uint64_t pages = 0;
    const std::uint8_t* const at = octets(chunk.data());
    if (read_varint(at, at + chunk.size(), pages) == nullptr) return 0;
    return pages <= max_chunk_pages ? static_cast<std::size_t>(pages) : 0;
}

Status ChunkReader::open(Chunk chunk) noexcept {
    const std::uint8_t* at = octets(chunk.data());
    const std::uint8_t* const end = at + chunk.size();
    std::uint64_t pages = 0;
    if ((at = read_varint(at, end, pages)) == nullptr) return Status::truncated;
    if ((at = read_varint(at, end, next_pfn_)) == nullptr) return Status::truncated;
    if (pages == 0 || pages > max_chunk_pages) return Status::bad_header;
    if (next_pfn_ > std::numeric_limits<std::uint32_t>::max()) return Status::bad_header;
    pages_ = static_cast<std::size_t>(pages);

    std::array<std::size_t, stream_count> raw_size;
    for (std::size_t s = 0; s < stream_count; ++s) {
        std::uint64_t size = 0;
        if ((at = read_varint(at, end, size)) == nullptr) return Status::truncated;
        if (size > pages_ * stream_bound[s]) return Status::bad_header;
        raw_size[s] = static_cast<std::size_t>(size);
    }
    const std::size_t masks_size =
        raw_size[heads] + raw_size[blocks] + raw_size[words] + raw_size[bytes];
    Body masks_body{};
    for (Body* const body : {&literals_body_, &masks_body}) {
        if (at == end) return Status::truncated;
        const std::uint8_t coding = *at++;
        std::uint64_t size = 0;
        if ((at = read_varint(at, end, size)) == nullptr) return Status::truncated;
        const std::size_t raw = body == &masks_body ? masks_size : raw_size[literals];
        if (coding > static_cast<std::uint8_t>(Coding::zstd_history) || size > raw)
            return Status::bad_header;
        *body = {static_cast<Coding>(coding), static_cast<std::size_t>(size)};
    }
    const std::size_t bodies_size = literals_body_.size + masks_body.size;
    if (static_cast<std::size_t>(end - at) < bodies_size) return Status::truncated;
    if (static_cast<std::size_t>(end - at) > bodies_size) return Status::trailing;
    // The masks have no history, so theirs is empty.
    const Status status =
        read_body(masks_body, at + literals_body_.size, masks_.get(), masks_size, 0);
    if (status != Status::ok) return status;
    literals_at_ = at;
    literals_size_ = raw_size[literals];
    history_ = literals_;

    heads_ = masks_.get();
    heads_end_ = heads_ + raw_size[heads];
    source_.blocks = heads_end_;
    source_.blocks_end = source_.words = source_.blocks + raw_size[blocks];
    source_.words_end = source_.bytes = source_.words + raw_size[words];
    source_.bytes_end = source_.bytes + raw_size[bytes];
    source_.literals = source_.literals_end = literals_;
    next_blocks_ = source_.blocks;
    return Status::ok;
}

void ChunkReader::add_history(const Head& head, const std::uint8_t* own) noexcept {
    if (literals_body_.coding != Coding::zstd_history) return;
    const std::uint64_t blocks = history_blocks(head.kind, head.differ);
    history_ -= static_cast<std::size_t>(std::popcount(blocks)) * 64;
    pack_blocks(history_, own, blocks);
}

Status ChunkReader::open_literals() noexcept {
    source_.literals_end = literals_ + literals_size_;
    return read_body(literals_body_, literals_at_, literals_, literals_size_,
                     static_cast<std::size_t>(literals_ - history_));
}

Status ChunkReader::read_body(const Body& body, const std::uint8_t* at, std::uint8_t* out,
                              std::size_t out_size, std::size_t history) noexcept {
    switch (body.coding) {
        case Coding::stored:
            if (body.size != out_size) return Status::bad_header;
            std::memcpy(out, at, out_size);
            return Status::ok;
        case Coding::zstd:
        case Coding::zstd_history:
            return decompressor_.zstd(at, body.size, out, out_size, history) ? Status::ok
                                                                             : Status::bad_entropy;
        case Coding::lz4:
            break;
    }
    return Decompressor::lz4(at, body.size, out, out_size) ? Status::ok : Status::bad_entropy;
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
    head.pfn = Pfn(pfn);
    next_pfn_ = pfn + 1;
    head.reference = 0;
    if (head.kind == Kind::delta_candidate || head.kind == Kind::copy) {
        std::uint64_t step = 0;
        if ((heads_ = read_varint(heads_, heads_end_, step)) == nullptr) return Status::truncated;
        if (step > std::uint64_t{2} * std::numeric_limits<std::uint32_t>::max())
            return Status::bad_reference;
        const std::int64_t reference = static_cast<std::int64_t>(pfn) + unzigzag(step);
        if (reference < 0 || reference > std::numeric_limits<std::uint32_t>::max())
            return Status::bad_reference;
        head.reference = static_cast<std::uint64_t>(reference);
    }
    head.differ = 0;
    switch (head.kind) {
        case Kind::delta_repeat:
        case Kind::delta_self:
        case Kind::delta_zero:
        case Kind::delta_candidate:
            if (source_.blocks_end - next_blocks_ < 8) return Status::truncated;
            std::memcpy(&head.differ, next_blocks_, 8);
            next_blocks_ += 8;
            break;
        case Kind::zero:
        case Kind::same:
        case Kind::raw:
        case Kind::copy:
            break;
    }
    return Status::ok;
}

Status ChunkReader::content(const Head& head, const std::uint8_t* base, std::uint64_t wanted,
                            std::uint8_t* out) noexcept {
    const std::ptrdiff_t literals_left = source_.literals_end - source_.literals;
    switch (head.kind) {
        case Kind::zero:
            std::memset(out, 0, page_size);
            break;
        case Kind::delta_repeat:
            if (!kernels_.apply_repeated(out, source_)) return Status::truncated;
            break;
        case Kind::raw:
            if (literals_left < static_cast<std::ptrdiff_t>(page_size)) return Status::truncated;
            std::memcpy(out, source_.literals, page_size);
            source_.literals += page_size;
            break;
        case Kind::same:
            break;
        case Kind::copy:
            std::memcpy(out, base, page_size);
            break;
        case Kind::delta_self:
        case Kind::delta_zero:
        case Kind::delta_candidate:
            if (!kernels_.apply(base, wanted, out, source_)) return Status::truncated;
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
