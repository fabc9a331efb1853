// SPDX-License-Identifier: GPL-2.0-only
// Any bytes as a chunk: no crash, the same verdict and the same pages from every instruction set.
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "codec/epoch_decoder.hpp"
#include "codec/epoch_encoder.hpp"

using namespace replication;
using namespace replication::codec;

namespace {

constexpr std::uint32_t guest_pages = 64;

std::unique_ptr<EpochDecoder> make_decoder(Isa isa) {
    EpochOptions options;
    options.guest_pages = guest_pages;
    options.store_slots = 32;
    options.isa = isa;
    auto decoder = std::make_unique<EpochDecoder>(options);
    // Something to refer to: 32 raw pages.
    std::vector<Bytes> pages;
    std::vector<PageIn> in;
    for (std::uint32_t pfn = 0; pfn < 32; ++pfn) {
        pages.emplace_back(page_size, static_cast<std::byte>(pfn * 7 + 1));
        in.push_back({Pfn(pfn), nullptr});
    }
    for (std::uint32_t pfn = 0; pfn < 32; ++pfn) in[pfn].data = pages[pfn].data();
    EncoderOptions encoder_options;
    static_cast<EpochOptions&>(encoder_options) = options;
    EpochEncoder encoder(encoder_options);
    if (decoder->decode(encoder.encode(in)) != Status::ok) std::abort();
    decoder->commit();
    return decoder;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::vector<std::unique_ptr<EpochDecoder>> decoders = [] {
        std::vector<std::unique_ptr<EpochDecoder>> made;
        for (const Isa isa : available_isas()) made.push_back(make_decoder(isa));
        return made;
    }();
    const Chunk chunk = std::as_bytes(std::span(data, size));
    const Status expected = decoders[0]->decode({&chunk, 1});
    for (const auto& decoder : decoders) {
        const Status status = decoder->decode({&chunk, 1});
        if ((status == Status::ok) != (expected == Status::ok)) std::abort();
        if (decoder->pages().size() != decoders[0]->pages().size()) std::abort();
        for (std::size_t i = 0; i < decoder->pages().size(); ++i)
            if (decoder->pages()[i].changed != decoders[0]->pages()[i].changed ||
                std::memcmp(
                    decoder->pages()[i].blocks, decoders[0]->pages()[i].blocks,
                    static_cast<std::size_t>(std::popcount(decoder->pages()[i].changed)) * 64) != 0)
                std::abort();
    }
    return 0;
}
