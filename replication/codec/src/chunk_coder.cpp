// SPDX-License-Identifier: GPL-2.0-only
#include "chunk_coder.hpp"

#include <cstring>

#include "varint.hpp"

namespace replication::codec {
namespace {

constexpr std::array mask_streams{heads, blocks, words, bytes};

struct Body {
    Coding coding;
    std::size_t size;
};

std::uint8_t* append(std::uint8_t* out, std::span<const std::uint8_t> bytes) noexcept {
    std::memcpy(out, bytes.data(), bytes.size());
    return out + bytes.size();
}

// Writes the header so that it ends where the bodies begin; returns where it begins.
std::uint8_t* put_header(std::uint8_t* bodies, std::span<const PageWriter> parts,
                         const Body& literal_body, const Body& mask_body) noexcept {
    std::size_t pages = 0;
    std::array<std::size_t, stream_count> raw_size{};
    for (const PageWriter& part : parts) {
        pages += part.pages();
        for (std::size_t s = 0; s < stream_count; ++s)
            raw_size[s] += part.stream(static_cast<Stream>(s)).size();
    }
    std::array<std::uint8_t, header_bound> header;
    std::uint8_t* at = write_varint(header.data(), pages);
    at = write_varint(at, parts.front().begins_at());
    for (const std::size_t size : raw_size) at = write_varint(at, size);
    for (const Body& body : {literal_body, mask_body}) {
        *at++ = static_cast<std::uint8_t>(body.coding);
        at = write_varint(at, body.size);
    }
    const auto size = static_cast<std::size_t>(at - header.data());
    std::memcpy(bodies - size, header.data(), size);
    return bodies - size;
}

// A chunk as it is, straight from its parts.
std::span<const std::uint8_t> stored(std::span<const PageWriter> parts,
                                     std::uint8_t* out) noexcept {
    std::uint8_t* const bodies = out + header_bound;
    std::uint8_t* end = bodies;
    for (const PageWriter& part : parts) end = append(end, part.stream(literals));
    std::uint8_t* const masks = end;
    for (const Stream s : mask_streams)
        for (const PageWriter& part : parts) end = append(end, part.stream(s));
    return {put_header(bodies, parts, {Coding::stored, static_cast<std::size_t>(masks - bodies)},
                       {Coding::stored, static_cast<std::size_t>(end - masks)}),
            end};
}

}  // namespace

ChunkCoder::ChunkCoder(const ChunkTraits& traits)
    : traits_(traits),
      mask_compressor_(traits.masks),
      literal_compressor_(traits.literals),
      few_literals_compressor_(traits.literals_if_few),
      history_compressor_(traits.literals_after_history) {
    if (!traits.has_entropy()) return;
    const auto room = [&](std::size_t a_page) {
        return std::make_unique_for_overwrite<std::uint8_t[]>(traits.chunk_pages * a_page);
    };
    masks_ = room(page_bound - stream_bound[literals]);
    if (traits.part_pages < traits.chunk_pages) history_and_literals_ = room(2 * page_size);
    if (traits.has_history()) trial_out_ = room(page_size);
}

std::span<const std::uint8_t> ChunkCoder::code(std::span<const PageWriter> parts, History use,
                                               std::uint8_t* out) noexcept {
    if (!traits_.has_entropy()) return stored(parts, out);
    std::size_t pages = 0;
    for (const PageWriter& part : parts) pages += part.pages();
    // The header, whose length is known last, ends where the bodies begin.
    std::uint8_t* const bodies = out + header_bound;

    const Literals raw = gather(parts, use != History::without);
    auto [literal_size, coding] = compress(raw, pages, use, bodies);
    if (literal_size == 0) {
        std::memcpy(bodies, raw.at, raw.size);
        literal_size = raw.size;
        coding = Coding::stored;
    }

    std::uint8_t* masks_end = masks_.get();
    for (const Stream s : mask_streams)
        for (const PageWriter& part : parts) masks_end = append(masks_end, part.stream(s));
    const auto mask_raw_size = static_cast<std::size_t>(masks_end - masks_.get());
    std::uint8_t* const masks = bodies + literal_size;
    std::size_t mask_size = mask_compressor_.compress(masks_.get(), mask_raw_size, masks);
    const Coding mask_coding = mask_size == 0 ? Coding::stored : mask_compressor_.coding();
    if (mask_size == 0) {
        std::memcpy(masks, masks_.get(), mask_raw_size);
        mask_size = mask_raw_size;
    }
    return {put_header(bodies, parts, {coding, literal_size}, {mask_coding, mask_size}),
            masks + mask_size};
}

// The literals one after the other, right behind their history, which begins with the last part's.
ChunkCoder::Literals ChunkCoder::gather(std::span<const PageWriter> parts,
                                        bool with_history) noexcept {
    if (parts.size() == 1) {
        const std::span raw = parts[0].stream(literals);
        return {raw.data(), raw.size(), with_history ? parts[0].history().size() : 0};
    }
    std::uint8_t* const begin = history_and_literals_.get() + traits_.chunk_pages * page_size;
    std::uint8_t* end = begin;
    std::uint8_t* history = begin;
    for (const PageWriter& part : parts) {
        end = append(end, part.stream(literals));
        if (!with_history) continue;
        history -= part.history().size();
        append(history, part.history());
    }
    return {begin, static_cast<std::size_t>(end - begin),
            static_cast<std::size_t>(begin - history)};
}

std::pair<std::size_t, Coding> ChunkCoder::compress(const Literals& raw, std::size_t pages,
                                                    History use, std::uint8_t* out) noexcept {
    Compressor& plain =
        raw.size < pages * traits_.few_literals ? few_literals_compressor_ : literal_compressor_;
    const auto with_history = [&](std::uint8_t* to) {
        return history_compressor_.compress(raw.at, raw.size, to, raw.history);
    };
    trial_ = {};
    if (raw.history == 0 || use == History::without)
        return {plain.compress(raw.at, raw.size, out), plain.coding()};
    if (use == History::with) return {with_history(out), Coding::zstd_history};
    trial_ = {plain.compress(raw.at, raw.size, out), with_history(trial_out_.get())};
    if (trial_.with == 0 || (trial_.without != 0 && trial_.without < trial_.with))
        return {trial_.without, plain.coding()};
    std::memcpy(out, trial_out_.get(), trial_.with);
    return {trial_.with, Coding::zstd_history};
}

}  // namespace replication::codec
