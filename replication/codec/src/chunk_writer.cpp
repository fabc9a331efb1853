// SPDX-License-Identifier: GPL-2.0-only
#include "chunk_writer.hpp"

#include <cstring>
#include <numeric>

#include "blocks.hpp"
#include "varint.hpp"

namespace replication::codec {
namespace {

constexpr std::size_t header_bound = (2 + stream_count + 2) * max_varint + 2;

constexpr std::size_t page_bound =
    std::accumulate(stream_bound.begin(), stream_bound.end(), std::size_t{0});

}  // namespace

ChunkWriter::ChunkWriter(const Kernels& kernels, const ChunkTraits& traits)
    : kernels_(kernels),
      traits_(traits),
      mask_compressor_(traits.masks),
      literal_compressor_(traits.literals),
      few_literals_compressor_(traits.literals_if_few),
      history_compressor_(traits.literals_after_history) {
    // A difference is written before it is known to be too long, hence room for one page more.
    const auto room = [&](std::size_t s) {
        return (traits.max_pages + 1) * stream_bound[s] + stream_slack;
    };
    for (std::size_t s = 0; s < buffers_.size(); ++s)
        buffers_[s] = std::make_unique_for_overwrite<std::uint8_t[]>(room(s));
    const std::size_t history =
        traits.literals_after_history.coding == Coding::stored ? 0 : traits.max_pages * page_size;
    history_and_literals_ =
        std::make_unique_for_overwrite<std::uint8_t[]>(history + room(literals));
    literals_start_ = history_and_literals_.get() + history;
    masks_ = std::make_unique_for_overwrite<std::uint8_t[]>(traits.max_pages *
                                                            (page_bound - stream_bound[literals]));
    begin(Pfn{}, History::without);
}

void ChunkWriter::begin(Pfn first_pfn, History use) noexcept {
    use_ = use;
    first_pfn_ = first_pfn;
    next_pfn_ = static_cast<std::uint32_t>(first_pfn);
    last_reference_ = 0;
    pages_ = 0;
    heads_ = buffers_[heads].get();
    history_ = literals_start_;
    sink_ = {buffers_[blocks].get(), buffers_[words].get(), buffers_[bytes].get(), literals_start_};
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

void ChunkWriter::copy(Pfn pfn, std::uint32_t reference) noexcept {
    head(pfn, Kind::copy, reference);
}

void ChunkWriter::delta(Pfn pfn, Kind kind, std::uint32_t reference, const std::uint8_t* page,
                        const std::uint8_t* own, ByteMasks& masks) noexcept {
    const MaskSink before = sink_;
    if (kernels_.emit(page, masks, traits_.whole_word, sink_) >= page_size) {
        sink_ = before;
        kind = Kind::raw;
        std::memcpy(sink_.literals, page, page_size);
        sink_.literals += page_size;
    }
    if (kind == Kind::delta_candidate)
        head(pfn, kind, reference);
    else
        head(pfn, kind);
    if (own == nullptr || use_ == History::without) return;
    std::uint64_t differ;
    std::memcpy(&differ, before.blocks, sizeof differ);
    remember(kind, own, differ);
}

// Later pages before earlier ones: so the history ends where the literals begin, however long it
// becomes.
void ChunkWriter::remember(Kind kind, const std::uint8_t* own, std::uint64_t differ) noexcept {
    const std::uint64_t blocks = history_blocks(kind, differ);
    history_ -= static_cast<std::size_t>(std::popcount(blocks)) * 64;
    pack_blocks(history_, own, blocks);
}

std::size_t ChunkWriter::bound(std::size_t pages) noexcept {
    return header_bound + pages * page_bound;
}

// The bodies start at a fixed place and the header, whose length is known last, ends there.
std::span<const std::uint8_t> ChunkWriter::finish(std::uint8_t* out) noexcept {
    const std::array<const std::uint8_t*, literals> ends{heads_, sink_.blocks, sink_.words,
                                                         sink_.bytes};
    std::array<std::uint8_t, header_bound> header;
    std::uint8_t* head = write_varint(header.data(), pages_);
    head = write_varint(head, static_cast<std::uint32_t>(first_pfn_));
    std::uint8_t* const bodies = out + header_bound;
    std::uint8_t* body = bodies;
    std::uint8_t* masks = masks_.get();
    for (std::size_t s = 0; s < literals; ++s) {
        const auto size = static_cast<std::size_t>(ends[s] - buffers_[s].get());
        head = write_varint(head, size);
        std::memcpy(masks, buffers_[s].get(), size);
        masks += size;
    }
    const auto literal_size = static_cast<std::size_t>(sink_.literals - literals_start_);
    head = write_varint(head, literal_size);
    const auto put_body = [&](Coding coding, std::size_t coded, const std::uint8_t* raw,
                              std::size_t size) {
        if (coded == 0) std::memcpy(body, raw, size);
        *head++ = static_cast<std::uint8_t>(coded == 0 ? Coding::stored : coding);
        const std::size_t body_size = coded == 0 ? size : coded;
        head = write_varint(head, body_size);
        body += body_size;
    };
    const auto masks_size = static_cast<std::size_t>(masks - masks_.get());
    put_body(mask_compressor_.coding(), mask_compressor_.compress(masks_.get(), masks_size, body),
             masks_.get(), masks_size);

    const bool few = literal_size < pages_ * traits_.few_literals;
    Compressor& compressor = few ? few_literals_compressor_ : literal_compressor_;
    const auto without = [&] { return compressor.compress(literals_start_, literal_size, body); };
    const auto history = static_cast<std::size_t>(literals_start_ - history_);
    const auto with = [&] {
        return history_compressor_.compress(literals_start_, literal_size, body, history);
    };
    History use = history == 0 ? History::without : use_;
    trial_ = {};
    if (use == History::both) {
        // The longer way first: what is in `body` at the end is mostly what is taken.
        trial_ = {without(), with()};
        use = trial_.with != 0 && (trial_.without == 0 || trial_.with <= trial_.without)
                  ? History::with
                  : History::without;
        if (use == History::without) without();
        put_body(use == History::with ? Coding::zstd_history : compressor.coding(),
                 use == History::with ? trial_.with : trial_.without, literals_start_,
                 literal_size);
    } else if (use == History::with) {
        put_body(Coding::zstd_history, with(), literals_start_, literal_size);
    } else {
        put_body(compressor.coding(), without(), literals_start_, literal_size);
    }
    const auto header_size = static_cast<std::size_t>(head - header.data());
    std::memcpy(bodies - header_size, header.data(), header_size);
    return {bodies - header_size, body};
}

}  // namespace replication::codec
