// SPDX-License-Identifier: GPL-2.0-only
#include "chunk_coder.hpp"

#include <cstring>

#include "varint.hpp"

namespace replication::codec {
namespace {

std::uint8_t* append(std::uint8_t* out, std::span<const std::uint8_t> bytes) noexcept {
    std::memcpy(out, bytes.data(), bytes.size());
    return out + bytes.size();
}

std::uint8_t* append_masks(std::uint8_t* out, const PageWriter& pages) noexcept {
    for (const Stream s : {heads, blocks, words, bytes}) out = append(out, pages.stream(s));
    return out;
}

struct Body {
    Coding coding;
    std::size_t size;
};

// Writes the header so that it ends where the bodies begin; returns where it begins.
std::uint8_t* put_header(std::uint8_t* bodies, const PageWriter& pages, const Body& literal_body,
                         const Body& mask_body) noexcept {
    std::array<std::uint8_t, header_bound> header;
    std::uint8_t* at = write_varint(header.data(), pages.pages());
    at = write_varint(at, pages.first_pfn().value());
    for (std::size_t s = 0; s < stream_count; ++s)
        at = write_varint(at, pages.stream(static_cast<Stream>(s)).size());
    for (const Body& body : {literal_body, mask_body}) {
        *at++ = static_cast<std::uint8_t>(body.coding);
        at = write_varint(at, body.size);
    }
    const auto size = static_cast<std::size_t>(at - header.data());
    std::memcpy(bodies - size, header.data(), size);
    return bodies - size;
}

}  // namespace

ChunkCoder::ChunkCoder(const ChunkTraits& traits)
    : traits_(traits),
      mask_compressor_(traits.masks),
      literal_compressor_(traits.literals),
      few_literals_compressor_(traits.literals_if_few),
      history_compressor_(traits.literals_after_history),
      few_literals_history_compressor_(traits.few_literals_after_history) {
    const auto room = [&](std::size_t a_page) {
        return std::make_unique_for_overwrite<std::uint8_t[]>(traits.chunk_pages * a_page);
    };
    if (traits.has_entropy()) masks_ = room(page_bound - stream_bound[literals]);
    if (traits.has_history()) trial_out_ = room(page_size);
}

std::span<const std::uint8_t> ChunkCoder::code(const PageWriter& pages, History use,
                                               std::uint8_t* out) noexcept {
    // The header, whose length is known last, ends where the bodies begin.
    std::uint8_t* const bodies = out + header_bound;
    const std::span raw = pages.stream(literals);
    auto [literal_size, literal_coding] = compress_literals(pages, use, bodies);
    if (literal_size == 0) {
        append(bodies, raw);
        literal_size = raw.size();
        literal_coding = Coding::stored;
    }
    std::uint8_t* const masks = bodies + literal_size;
    std::size_t mask_size = 0;
    Coding mask_coding = mask_compressor_.coding();
    if (mask_coding != Coding::stored) {
        const auto size =
            static_cast<std::size_t>(append_masks(masks_.get(), pages) - masks_.get());
        mask_size = mask_compressor_.compress(masks_.get(), size, masks);
    }
    if (mask_size == 0) {
        mask_size = static_cast<std::size_t>(append_masks(masks, pages) - masks);
        mask_coding = Coding::stored;
    }
    return {put_header(bodies, pages, {literal_coding, literal_size}, {mask_coding, mask_size}),
            masks + mask_size};
}

std::pair<std::size_t, Coding> ChunkCoder::compress_literals(const PageWriter& pages, History use,
                                                             std::uint8_t* out) noexcept {
    const std::span raw = pages.stream(literals);
    const std::size_t history = pages.history().size();
    const bool few = raw.size() < pages.pages() * traits_.few_literals;
    Compressor& plain = few ? few_literals_compressor_ : literal_compressor_;
    Compressor& after_history = few ? few_literals_history_compressor_ : history_compressor_;
    const auto with_history = [&](std::uint8_t* to) {
        return after_history.compress(raw.data(), raw.size(), to, history);
    };
    trial_ = {};
    if (history == 0 || use == History::without)
        return {plain.compress(raw.data(), raw.size(), out), plain.coding()};
    if (use == History::with) return {with_history(out), Coding::zstd_history};
    const auto without = plain.compress(raw.data(), raw.size(), out);
    const auto with = with_history(trial_out_.get());
    // 0, no gain, would say that there was no trial.
    trial_ = {without != 0 ? without : raw.size(), with != 0 ? with : raw.size()};
    if (with == 0 || (without != 0 && without < with)) return {without, plain.coding()};
    std::memcpy(out, trial_out_.get(), with);
    return {with, Coding::zstd_history};
}

}  // namespace replication::codec
