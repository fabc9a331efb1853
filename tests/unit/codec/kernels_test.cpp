// SPDX-License-Identifier: GPL-2.0-only
#include "kernels.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "octets.hpp"
#include "pages.hpp"
#include "streams.hpp"

namespace replication::codec {
namespace {

struct Emitted {
    std::array<std::vector<std::uint8_t>, 4> streams;
    std::uint32_t size = 0;
    bool operator==(const Emitted&) const = default;
};

Emitted emit(const Kernels& kernels, const std::uint8_t* page, const ByteMasks& marked,
             unsigned whole_word) {
    ByteMasks masks = marked;
    std::vector<std::uint8_t> buffer[4];
    for (auto& b : buffer) b.resize(page_size + stream_slack);
    MaskSink sink{buffer[0].data(), buffer[1].data(), buffer[2].data(), buffer[3].data()};
    Emitted emitted;
    emitted.size = kernels.emit(page, masks, whole_word, sink);
    const std::uint8_t* ends[4] = {sink.blocks, sink.words, sink.bytes, sink.literals};
    for (std::size_t s = 0; s < 4; ++s)
        emitted.streams[s].assign(buffer[s].data(),
                                  buffer[s].data() + (ends[s] - buffer[s].data()));
    return emitted;
}

MaskSource source_of(Emitted& emitted) {
    MaskSource source;
    const std::uint8_t** begins[4] = {&source.blocks, &source.words, &source.bytes,
                                      &source.literals};
    const std::uint8_t** ends[4] = {&source.blocks_end, &source.words_end, &source.bytes_end,
                                    &source.literals_end};
    for (std::size_t s = 0; s < 4; ++s) {
        const std::size_t size = emitted.streams[s].size();
        emitted.streams[s].resize(size + stream_slack);
        *begins[s] = emitted.streams[s].data();
        *ends[s] = emitted.streams[s].data() + size;
    }
    return source;
}

TEST(Kernels, AllInstructionSetsGiveTheScalarBytesAndRoundTrip) {
    test::Random random(1);
    test::Page base = test::pointer_page(random);
    const Kernels& scalar = kernels(Isa::scalar);
    for (int round = 0; round < 2000; ++round) {
        const test::Page page = test::changed(base, {}, random);
        const unsigned whole_word = 1 + static_cast<unsigned>(random() % 9);
        for (const bool repeat : {false, true}) {
            ByteMasks expected_masks;
            const auto mark = [&](const Kernels& k, ByteMasks& masks) {
                return repeat ? k.unrepeated(octets(page.data()), masks)
                              : k.differ(octets(page.data()), octets(base.data()), masks);
            };
            const std::uint32_t expected_count = mark(scalar, expected_masks);
            const Emitted expected = emit(scalar, octets(page.data()), expected_masks, whole_word);
            for (const Isa isa : available_isas()) {
                const Kernels& tested = kernels(isa);
                ByteMasks masks;
                ASSERT_EQ(mark(tested, masks), expected_count) << name(isa);
                ASSERT_EQ(masks.block, expected_masks.block) << name(isa);
                Emitted emitted = emit(tested, octets(page.data()), masks, whole_word);
                ASSERT_EQ(emitted, expected) << name(isa);
                Emitted again = emitted;
                MaskSource source = source_of(emitted);
                test::Page rebuilt(page_size);
                ASSERT_TRUE(repeat ? tested.apply_repeated(octets(rebuilt.data()), source)
                                   : tested.apply(octets(base.data()), ~std::uint64_t{0},
                                                  octets(rebuilt.data()), source));
                ASSERT_EQ(rebuilt, page) << name(isa);
                ASSERT_EQ(source.literals, source.literals_end);
                if (repeat) continue;
                // Only the blocks that differ, and some more, packed.
                std::uint64_t wanted = random() & random();
                for (std::size_t b = 0; b < blocks_per_page; ++b)
                    if (expected_masks.block[b] != 0) wanted |= std::uint64_t{1} << b;
                source = source_of(again);
                rebuilt.assign(page_size, std::byte{0xee});
                ASSERT_TRUE(
                    tested.apply(octets(base.data()), wanted, octets(rebuilt.data()), source));
                const std::uint8_t* packed = octets(rebuilt.data());
                for (std::size_t b = 0; b < blocks_per_page; ++b) {
                    if ((wanted >> b & 1) == 0) continue;
                    ASSERT_EQ(std::memcmp(packed, octets(page.data()) + b * 64, 64), 0)
                        << name(isa);
                    packed += 64;
                }
                ASSERT_EQ(
                    std::count(packed,
                               static_cast<const std::uint8_t*>(octets(rebuilt.data()) + page_size),
                               0xee),
                    octets(rebuilt.data()) + page_size - packed);
            }
        }
        base = page;
    }
}

TEST(Kernels, NonzeroIsDifferenceFromTheZeroPage) {
    test::Random random(2);
    for (int round = 0; round < 200; ++round) {
        const test::Page page = test::changed(test::pointer_page(random), {}, random);
        for (const Isa isa : available_isas()) {
            ByteMasks a;
            ByteMasks b;
            EXPECT_EQ(kernels(isa).nonzero(octets(page.data()), a),
                      kernels(isa).differ(octets(page.data()), zero_page.data(), b));
            EXPECT_EQ(a.block, b.block);
        }
    }
}

TEST(Kernels, AStreamCutAnywhereIsRefused) {
    test::Random random(3);
    const test::Page base = test::pointer_page(random);
    test::Page page = base;
    for (std::size_t i = 5; i < page_size; i += 37) page[i] ^= std::byte{0xff};
    for (const Isa isa : available_isas()) {
        ByteMasks masks;
        kernels(isa).differ(octets(page.data()), octets(base.data()), masks);
        Emitted emitted = emit(kernels(isa), octets(page.data()), masks, 9);
        const MaskSource whole = source_of(emitted);
        test::Page out(page_size);
        for (auto end : {&MaskSource::blocks_end, &MaskSource::words_end, &MaskSource::bytes_end,
                         &MaskSource::literals_end}) {
            MaskSource cut = whole;
            cut.*end -= 1;
            EXPECT_FALSE(
                kernels(isa).apply(octets(base.data()), ~std::uint64_t{0}, octets(out.data()), cut))
                << name(isa);
        }
    }
}

}  // namespace
}  // namespace replication::codec
