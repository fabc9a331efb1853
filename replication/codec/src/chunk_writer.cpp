// SPDX-License-Identifier: GPL-2.0-only
#include "chunk_writer.hpp"

#include <cstring>
#include <numeric>

#include "varint.hpp"

namespace replication::codec {
namespace {

constexpr std::size_t header_bound = (2 + 2 * stream_count) * max_varint + stream_count;

}  // namespace

ChunkWriter::ChunkWriter(const Kernels& kernels, const ChunkTraits& traits)
    : kernels_(kernels),
      traits_(traits),
      mask_compressor_(traits.masks),
      literal_compressor_(traits.literals) {
    // A difference is written before it is known to be too long, hence room for one page more.
    for (std::size_t s = 0; s < stream_count; ++s)
        buffers_[s].resize((traits.max_pages + 1) * stream_bound[s] + stream_slack);
    const std::size_t page_bound = std::accumulate(stream_bound.begin(), stream_bound.end(), std::size_t{0});
    chunk_.resize(header_bound + traits.max_pages * page_bound);
    bodies_.resize(traits.max_pages * page_bound);
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

void ChunkWriter::run(Pfn pfn, const std::uint8_t* page) noexcept {
    head(pfn, Kind::run);
    std::memcpy(sink_.literals, page, 8);
    sink_.literals += 8;
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

std::span<const std::uint8_t> ChunkWriter::finish() noexcept {
    const std::array<const std::uint8_t*, stream_count> ends{heads_, sink_.blocks, sink_.words, sink_.bytes,
                                                             sink_.literals};
    std::uint8_t* header = write_varint(chunk_.data(), pages_);
    header = write_varint(header, static_cast<std::uint32_t>(first_pfn_));
    std::uint8_t* body = bodies_.data();
    for (std::size_t s = 0; s < stream_count; ++s) {
        const std::uint8_t* raw = buffers_[s].data();
        const auto size = static_cast<std::size_t>(ends[s] - raw);
        const EntropyTraits& traits = s == literals ? traits_.literals : traits_.masks;
        Compressor& compressor = s == literals ? literal_compressor_ : mask_compressor_;
        const std::size_t coded = compressor.compress(raw, size, body);
        const Coding coding = coded == 0                                        ? Coding::stored
                              : traits.method == EntropyTraits::Method::zstd ? Coding::zstd
                                                                                : Coding::lz4;
        *header++ = static_cast<std::uint8_t>(coding);
        header = write_varint(header, size);
        if (coding == Coding::stored) {
            std::memcpy(body, raw, size);
            body += size;
        } else {
            header = write_varint(header, coded);
            body += coded;
        }
    }
    const auto body_size = static_cast<std::size_t>(body - bodies_.data());
    std::memcpy(header, bodies_.data(), body_size);
    return {chunk_.data(), static_cast<std::size_t>(header - chunk_.data()) + body_size};
}

}  // namespace replication::codec
