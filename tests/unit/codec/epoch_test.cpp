// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include <algorithm>

#include "codec/epoch_decoder.hpp"
#include "codec/epoch_encoder.hpp"
#include "pages.hpp"

namespace replication::codec {
namespace {

EncoderOptions options_of(Level level, std::uint32_t pages, std::uint32_t slots) {
    EncoderOptions options;
    options.guest_pages = pages;
    options.store_slots = slots;
    options.level = level;
    return options;
}

std::vector<Bytes> copy_of(std::span<const Chunk> chunks) {
    std::vector<Bytes> copy;
    for (const auto& chunk : chunks) copy.emplace_back(chunk.begin(), chunk.end());
    return copy;
}

std::vector<Chunk> views_of(const std::vector<Bytes>& chunks) {
    return {chunks.begin(), chunks.end()};
}

class Levels : public testing::TestWithParam<Level> {};
INSTANTIATE_TEST_SUITE_P(Epoch, Levels, testing::ValuesIn(all_levels),
                         [](const auto& level) { return std::string(name(level.param)); });

TEST_P(Levels, RoundTripsWithStoresOfAnySize) {
    for (const std::uint32_t slots : {1u, 17u, 300u}) {
        test::Random random(slots);
        test::Guest guest(300);
        const EncoderOptions options = options_of(GetParam(), guest.size(), slots);
        EpochEncoder encoder(options);
        EpochDecoder decoder(options);
        std::vector<test::Page> backup(guest.size(), test::Page(page_size));
        for (int epoch = 0; epoch < 60; ++epoch) {
            guest.run(random, 40);
            const auto dirty = guest.dirty();
            ASSERT_EQ(decoder.decode(encoder.encode(dirty)), Status::ok);
            const auto pages = decoder.pages();
            ASSERT_EQ(pages.size(), dirty.size());
            for (std::size_t i = 0; i < pages.size(); ++i) {
                ASSERT_EQ(pages[i].pfn, dirty[i].pfn);
                test::Page& page = backup[pages[i].pfn.value()];
                pages[i].write_to(page.data());
                ASSERT_EQ(std::memcmp(page.data(), dirty[i].data, page_size), 0);
            }
            encoder.commit();
            decoder.commit();
            guest.clean();
            ASSERT_EQ(encoder.store().digest(), decoder.store().digest());
        }
    }
}

TEST_P(Levels, BytesDoNotDependOnThreadsOrInstructionSet) {
    std::vector<std::vector<Bytes>> reference;
    for (const Isa isa : available_isas()) {
        for (const unsigned threads : {1u, 3u}) {
            test::Random random(7);
            test::Guest guest(1600);
            EncoderOptions options = options_of(GetParam(), guest.size(), 1200);
            options.threads = threads;
            options.isa = isa;
            EpochEncoder encoder(options);
            EpochDecoder decoder(options);
            std::vector<std::vector<Bytes>> epochs;
            for (int epoch = 0; epoch < 3; ++epoch) {
                guest.run(random, 2600);
                epochs.push_back(copy_of(encoder.encode(guest.dirty())));
                ASSERT_EQ(decoder.decode(views_of(epochs.back())), Status::ok);
                encoder.commit();
                decoder.commit();
                guest.clean();
            }
            if (reference.empty()) reference = epochs;
            ASSERT_EQ(epochs, reference) << name(isa) << " with " << threads;
        }
    }
}

TEST_P(Levels, NoPageGrowsBeyondRawAndEightBytes) {
    test::Random random(11);
    EncoderOptions options = options_of(GetParam(), 4096, 64);
    EpochEncoder encoder(options);
    for (int round = 0; round < 50; ++round) {
        const test::Page page = test::random_page(random);
        const PageIn in{Pfn(random() % 4096), page.data()};
        const auto chunks = encoder.encode({&in, 1});
        // The rest is the chunk's header, once for up to 512 pages: at most 24 bytes here.
        EXPECT_LE(chunks[0].size(), page_size + 8 + 24);
    }
}

TEST(Epoch, EveryFlippedBitIsRefusedOrStillGivesAWholeEpoch) {
    test::Random random(17);
    test::Guest guest(64);
    EncoderOptions options = options_of(Level::balanced, guest.size(), 64);
    EpochEncoder encoder(options);
    EpochDecoder decoder(options);
    guest.run(random, 64);
    decoder.decode(encoder.encode(guest.dirty()));
    encoder.commit();
    decoder.commit();
    guest.run(random, 8);
    const auto chunks = copy_of(encoder.encode(guest.dirty()));
    const std::uint64_t before = decoder.store().digest();
    for (std::size_t bit = 0; bit < chunks[0].size() * 8; bit += 3) {
        auto flipped = chunks;
        flipped[0][bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
        const Status status = decoder.decode(views_of(flipped));
        EXPECT_EQ(status == Status::ok, !decoder.pages().empty());
        decoder.abandon();
    }
    EXPECT_EQ(decoder.store().digest(), before);
}

TEST(Epoch, RefusesPagesThatDoNotAscendOrLieOutside) {
    EpochEncoder encoder(options_of(Level::fast, 10, 10));
    const test::Page page(page_size, std::byte{1});
    const PageIn twice[] = {{Pfn{3}, page.data()}, {Pfn{3}, page.data()}};
    const PageIn outside[] = {{Pfn{10}, page.data()}};
    EXPECT_THROW(encoder.encode(twice), std::invalid_argument);
    EXPECT_THROW(encoder.encode(outside), std::invalid_argument);
}

TEST(Epoch, SimilarPagesAreFoundAcrossPfns) {
    test::Random random(19);
    test::Guest guest(20);
    for (std::uint32_t pfn = 0; pfn < 10; ++pfn) guest[pfn] = test::random_page(random);
    EpochEncoder encoder(options_of(Level::balanced, 20, 20));
    std::vector<PageIn> first;
    for (std::uint32_t pfn = 0; pfn < 10; ++pfn) first.push_back({Pfn(pfn), guest[pfn].data()});
    encoder.encode(first);
    encoder.commit();
    guest[15] = guest[3];
    guest[15][100] ^= std::byte{1};
    const PageIn similar{Pfn{15}, guest[15].data()};
    const auto chunks = encoder.encode({&similar, 1});
    EXPECT_EQ(encoder.counts().candidate, 1u);
    EXPECT_LT(chunks[0].size(), 64u);
}

// A guest whose pages are overwritten with what other pages held before, three bytes off: nothing
// is alike at the same place, and everything has been sent before.
TEST(Epoch, ContentThatMovedIsFoundInTheHistory) {
    constexpr std::uint32_t pages = 64;
    test::Random random(23);
    test::Guest guest(pages);
    Bytes tape;
    for (std::uint32_t pfn = 0; pfn < pages; ++pfn) {
        const test::Page page = test::random_page(random);
        tape.insert(tape.end(), page.begin(), page.end());
    }
    EpochEncoder encoder(options_of(Level::balanced, pages, pages));
    EpochDecoder decoder(options_of(Level::balanced, pages, pages));
    std::size_t size = 0;
    for (int epoch = 0; epoch < 3; ++epoch) {
        std::vector<PageIn> dirty;
        for (std::uint32_t pfn = 0; pfn < pages; ++pfn) {
            const auto* page = tape.data() + pfn * page_size;
            guest[pfn].assign(page, page + page_size);
            dirty.push_back({Pfn(pfn), guest[pfn].data()});
        }
        const auto chunks = copy_of(encoder.encode(dirty));
        size = 0;
        for (const Bytes& chunk : chunks) size += chunk.size();
        ASSERT_EQ(decoder.decode(views_of(chunks)), Status::ok);
        for (const PageOut& page : decoder.pages()) {
            test::Page whole(page_size, std::byte{0xee});
            page.write_to(whole.data());
            ASSERT_EQ(whole, guest[static_cast<std::uint32_t>(page.pfn.value())]);
        }
        encoder.commit();
        decoder.commit();
        std::rotate(tape.begin(), tape.begin() + 5 * page_size + 3, tape.end());
    }
    EXPECT_LT(size, pages * page_size / 20);
}

TEST(Epoch, EachLevelSendsNoMoreThanTheOneBefore) {
    std::vector<std::size_t> sizes;
    for (const Level level : all_levels) {
        test::Random random(29);
        test::Guest guest(600);
        EpochEncoder encoder(options_of(level, guest.size(), guest.size()));
        std::size_t size = 0;
        for (int epoch = 0; epoch < 20; ++epoch) {
            guest.run(random, 200);
            for (const auto& chunk : encoder.encode(guest.dirty())) size += chunk.size();
            encoder.commit();
            guest.clean();
        }
        sizes.push_back(size);
    }
    EXPECT_LE(sizes[1], sizes[0]);
    EXPECT_LE(sizes[2], sizes[1]);
}

}  // namespace
}  // namespace replication::codec
