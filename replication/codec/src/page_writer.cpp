// SPDX-License-Identifier: GPL-2.0-only
#include "page_writer.hpp"

#include <algorithm>
#include <cstring>

#include "blocks.hpp"
#include "varint.hpp"

namespace replication::codec {

PageWriter::PageWriter(const Kernels& kernels, const ChunkTraits& traits)
    : kernels_(kernels), whole_word_(traits.whole_word) {
    // A difference is written before it is known to be too long, hence room for one page more.
    const std::size_t pages = traits.chunk_pages + 1;
    for (std::size_t s = 0; s < buffers_.size(); ++s)
        buffers_[s] =
            std::make_unique_for_overwrite<std::uint8_t[]>(pages * stream_bound[s] + stream_slack);
    const std::size_t history = traits.has_history() ? traits.chunk_pages * page_size : 0;
    history_and_literals_ =
        std::make_unique_for_overwrite<std::uint8_t[]>(history + pages * page_size + stream_slack);
    literals_ = history_and_literals_.get() + history;
    begin(Pfn{}, false);
}

void PageWriter::begin(Pfn first_pfn, bool remember) noexcept {
    first_pfn_ = first_pfn;
    next_pfn_ = first_pfn.value();
    remember_ = remember;
    pages_ = 0;
    heads_ = buffers_[heads].get();
    history_ = literals_;
    sink_ = {buffers_[blocks].get(), buffers_[words].get(), buffers_[bytes].get(), literals_};
}

void PageWriter::head(Pfn pfn, Kind kind) noexcept {
    const std::uint64_t gap = pfn.value() - next_pfn_;
    next_pfn_ = pfn.value() + 1;
    ++pages_;
    const auto short_gap = static_cast<unsigned>(std::min<std::uint64_t>(gap, gap_escape));
    *heads_++ = static_cast<std::uint8_t>(static_cast<unsigned>(kind) | short_gap << 3);
    if (short_gap == gap_escape) heads_ = write_varint(heads_, gap - gap_escape);
}

void PageWriter::head(Pfn pfn, Kind kind, std::uint32_t reference) noexcept {
    head(pfn, kind);
    const auto distance = std::int64_t{reference} - static_cast<std::int64_t>(pfn.value());
    heads_ = write_varint(heads_, zigzag(distance));
}

void PageWriter::raw(Pfn pfn, const std::uint8_t* page) noexcept {
    head(pfn, Kind::raw);
    std::memcpy(sink_.literals, page, page_size);
    sink_.literals += page_size;
}

void PageWriter::delta(Pfn pfn, Kind kind, std::uint32_t reference, const std::uint8_t* page,
                       const std::uint8_t* own, ByteMasks& masks) noexcept {
    const MaskSink before = sink_;
    if (kernels_.emit(page, masks, whole_word_, sink_) >= page_size) {
        sink_ = before;
        kind = Kind::raw;
        raw(pfn, page);
    } else if (kind == Kind::delta_candidate) {
        head(pfn, kind, reference);
    } else {
        head(pfn, kind);
    }
    if (own == nullptr || !remember_) return;
    std::uint64_t differ;
    std::memcpy(&differ, before.blocks, sizeof differ);
    // Later pages before earlier ones: so the history ends where the literals begin, however long
    // it becomes.
    const std::uint64_t blocks = history_blocks(kind, differ);
    history_ -= static_cast<std::size_t>(std::popcount(blocks)) * 64;
    pack_blocks(history_, own, blocks);
}

std::span<const std::uint8_t> PageWriter::stream(Stream stream) const noexcept {
    if (stream == literals) return {literals_, sink_.literals};
    const std::array<const std::uint8_t*, literals> ends{heads_, sink_.blocks, sink_.words,
                                                         sink_.bytes};
    return {buffers_[stream].get(), ends[stream]};
}

}  // namespace replication::codec
