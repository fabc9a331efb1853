// SPDX-License-Identifier: GPL-2.0-only
#include "chunk_writer.hpp"

#include <cstring>
#include <numeric>

#include "varint.hpp"

namespace replication::codec {
namespace {

constexpr std::size_t header_bound = (2 + stream_count + 2) * max_varint + 2;

constexpr std::size_t page_bound = std::accumulate(stream_bound.begin(), stream_bound.end(), std::size_t{0});

}  // namespace

ChunkWriter::ChunkWriter(const Kernels& kernels, const ChunkTraits& traits)
    : kernels_(kernels),
      traits_(traits),
      mask_compressor_(traits.masks),
      literal_compressor_(traits.literals),
      few_literals_compressor_(traits.literals_if_few) {
    // A difference is written before it is known to be too long, hence room for one page more.
    for (std::size_t s = 0; s < stream_count; ++s)
        buffers_[s].resize((traits.max_pages + 1) * stream_bound[s] + stream_slack);
    masks_.resize(traits.max_pages * (page_bound - stream_bound[literals]));
    begin(Pfn{});
}

void ChunkWriter::begin(Pfn first_pfn) noexcept {
    first_pfn_ = first_pfn;
    next_pfn_ = static_cast<std::uint32_t>(first_pfn);
    last_reference_ = 0;
    pages_ = 0;
    heads_ = buffers_[heads].data();
    sink_ = {buffers_[blocks].data(), buffers_[words].data(), buffers_[bytes].data(),
             buffers_[literals].data()};
}

void ChunkWriter::head(Pfn pfn, Kind kind) noexcept {
    const std::uint32_t gap = static_cast<std::uint32_t>(pfn) - next_pfn_;
    next_pfn_ = static_cast<std::uint32_t>(pfn) + 1;
    ++pages_;
    const unsigned short_gap = gap < gap_escape ? gap : gap_escape;
    *heads_++ = static_cast<std::uint8_t>(static_cast<unsigned>(kind) | short_gap << 3);
    if (short_gap == gap_escape) heads_ = write_varint(heads_, gap - gap_escape);
}

void ChunkWriter::head(Pfn pfn, Kind kind, std::uint32_t reference) noexcept {
    head(pfn, kind);
    heads_ = write_varint(heads_, zigzag(std::int64_t{reference} - std::int64_t{last_reference_}));
    last_reference_ = reference;
}

void ChunkWriter::copy(Pfn pfn, std::uint32_t reference) noexcept { head(pfn, Kind::copy, reference); }

void ChunkWriter::delta(Pfn pfn, Kind kind, std::uint32_t reference, const std::uint8_t* page,
                        ByteMasks& masks) noexcept {
    const MaskSink before = sink_;
    if (kernels_.emit(page, masks, traits_.whole_word, sink_) >= page_size) {
        sink_ = before;
        head(pfn, Kind::raw);
        std::memcpy(sink_.literals, page, page_size);
        sink_.literals += page_size;
    } else if (kind == Kind::delta_candidate) {
        head(pfn, kind, reference);
    } else {
        head(pfn, kind);
    }
}

std::size_t ChunkWriter::bound(std::size_t pages) noexcept {
    return header_bound + pages * page_bound;
}

// The bodies start at a fixed place and the header, whose length is known last, ends there.
std::span<const std::uint8_t> ChunkWriter::finish(std::uint8_t* out) noexcept {
    const std::array<const std::uint8_t*, stream_count> ends{heads_, sink_.blocks, sink_.words, sink_.bytes,
                                                             sink_.literals};
    std::array<std::uint8_t, header_bound> header;
    std::uint8_t* head = write_varint(header.data(), pages_);
    head = write_varint(head, static_cast<std::uint32_t>(first_pfn_));
    std::uint8_t* const bodies = out + header_bound;
    std::uint8_t* body = bodies;
    std::uint8_t* masks = masks_.data();
    for (std::size_t s = 0; s < stream_count; ++s) {
        const auto size = static_cast<std::size_t>(ends[s] - buffers_[s].data());
        head = write_varint(head, size);
        if (s == literals) break;
        std::memcpy(masks, buffers_[s].data(), size);
        masks += size;
    }
    const auto put_body = [&](Compressor& compressor, const std::uint8_t* raw, const std::uint8_t* raw_end) {
        const auto size = static_cast<std::size_t>(raw_end - raw);
        const std::size_t coded = compressor.compress(raw, size, body);
        if (coded == 0) std::memcpy(body, raw, size);
        *head++ = static_cast<std::uint8_t>(coded == 0 ? Coding::stored : compressor.coding());
        const std::size_t body_size = coded == 0 ? size : coded;
        head = write_varint(head, body_size);
        body += body_size;
    };
    put_body(mask_compressor_, masks_.data(), masks);
    const std::uint8_t* raw = buffers_[literals].data();
    const bool few = static_cast<std::size_t>(ends[literals] - raw) < pages_ * traits_.few_literals;
    put_body(few ? few_literals_compressor_ : literal_compressor_, raw, ends[literals]);
    const auto header_size = static_cast<std::size_t>(head - header.data());
    std::memcpy(bodies - header_size, header.data(), header_size);
    return {bodies - header_size, body};
}

}  // namespace replication::codec
