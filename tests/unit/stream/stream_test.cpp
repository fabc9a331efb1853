// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "base/file.hpp"
#include "codec/epoch_encoder.hpp"
#include "codec/image_encoder.hpp"
#include "pages.hpp"
#include "stream/epoch_receiver.hpp"
#include "stream/image_receiver.hpp"
#include "stream/stream_writer.hpp"

namespace replication::stream {
namespace {

using warmvm::Error;
using warmvm::StreamErrc;
constexpr Shape shape{64, 40};

codec::EncoderOptions options() {
    codec::EncoderOptions options;
    options.guest_pages = shape.guest_pages;
    options.store_slots = shape.store_slots;
    options.level = codec::Level::fast;
    return options;
}

struct Recorded {
    Bytes bytes;
    std::vector<std::size_t> ends;  // of the header and of each epoch
    std::vector<std::vector<codec::test::Page>> images;
};

// Five epochs of a small guest.
Recorded record() {
    Recorded recorded;
    StreamWriter writer(shape, recorded.bytes);
    recorded.ends.push_back(recorded.bytes.size());
    codec::EpochEncoder encoder(options());
    codec::test::Random random(1);
    codec::test::Guest guest(shape.guest_pages);
    for (std::uint64_t epoch = 1; epoch <= 5; ++epoch) {
        guest.run(random, 20);
        const auto dirty = guest.dirty();
        writer.epoch(epoch, epoch - 1, static_cast<std::uint32_t>(dirty.size()),
                     encoder.encode(dirty));
        encoder.commit();
        guest.clean();
        recorded.ends.push_back(recorded.bytes.size());
        recorded.images.push_back(guest.all());
    }
    return recorded;
}

// Feeds everything, committing each epoch; returns the epochs committed, and the error if there was
// one.
std::pair<std::uint64_t, std::error_code> receive(const Bytes& bytes, std::size_t step,
                                                  EpochReceiver& receiver) {
    try {
        for (std::size_t at = 0; at < bytes.size();) {
            at += receiver.feed({bytes.data() + at, std::min(step, bytes.size() - at)});
            receiver.commit();
        }
        receiver.end();
    } catch (const Error& error) {
        return {receiver.committed(), error.code()};
    }
    return {receiver.committed(), {}};
}

std::uint64_t epochs_before(const Recorded& recorded, std::size_t byte) {
    std::uint64_t epochs = 0;
    while (epochs < 5 && recorded.ends[epochs + 1] <= byte) ++epochs;
    return epochs;
}

TEST(Stream, RoundTripsInPiecesOfAnySize) {
    const Recorded recorded = record();
    for (const std::size_t step :
         {std::size_t{1}, std::size_t{7}, std::size_t{4096}, recorded.bytes.size()}) {
        EpochReceiver receiver(shape, 1);
        std::vector<codec::test::Page> backup(shape.guest_pages, codec::test::Page(page_size));
        for (std::size_t at = 0; at < recorded.bytes.size();) {
            at += receiver.feed(
                {recorded.bytes.data() + at, std::min(step, recorded.bytes.size() - at)});
            if (!receiver.ready()) continue;
            for (const auto& page : receiver.pages())
                page.write_to(backup[page.pfn.value()].data());
            receiver.commit();
            ASSERT_EQ(backup, recorded.images[receiver.committed() - 1]);
        }
        receiver.end();
        EXPECT_EQ(receiver.committed(), 5u);
    }
}

// A stream that says few pages and sends much would fill the backup's memory before its epoch ends.
TEST(Stream, ChunksLargerThanTheirPagesCanBeAreRefusedAsTheyCome) {
    constexpr std::size_t most = 2 * 4800 + 128;
    for (const std::size_t more : {0u, 1u}) {
        Bytes bytes;
        StreamWriter writer(shape, bytes);
        const Bytes chunk(most + more);
        writer.epoch(1, 0, 2, std::vector<codec::Chunk>{chunk});
        constexpr std::ptrdiff_t epoch_end = 16 + 16 + 8;
        EpochReceiver receiver(shape, 1);
        const auto error = receive({bytes.begin(), bytes.end() - epoch_end}, 4096, receiver).second;
        EXPECT_EQ(error,
                  make_error_code(more != 0 ? StreamErrc::bad_record : StreamErrc::truncated));
    }
}

TEST(Stream, ACutAppliesOnlyWholeEpochs) {
    const Recorded recorded = record();
    for (std::size_t size = 0; size < recorded.bytes.size(); size += 61) {
        EpochReceiver receiver(shape, 1);
        const auto [epochs, error] = receive(
            {recorded.bytes.begin(), recorded.bytes.begin() + static_cast<std::ptrdiff_t>(size)},
            4096, receiver);
        EXPECT_EQ(epochs, epochs_before(recorded, size));
        const bool at_end =
            std::find(recorded.ends.begin(), recorded.ends.end(), size) != recorded.ends.end();
        EXPECT_EQ(error, at_end ? std::error_code() : make_error_code(StreamErrc::truncated));
    }
}

TEST(Stream, AFlippedBitEndsTheStreamBeforeItsEpoch) {
    const Recorded recorded = record();
    for (std::size_t byte = 0; byte < recorded.bytes.size(); byte += 41) {
        Bytes flipped = recorded.bytes;
        flipped[byte] ^= static_cast<std::byte>(1u << (byte % 8));
        EpochReceiver receiver(shape, 1);
        const auto [epochs, error] = receive(flipped, 4096, receiver);
        EXPECT_TRUE(error) << byte;
        EXPECT_EQ(epochs, epochs_before(recorded, byte)) << byte;
        // A longer length only shows when the bytes run out; everything else has ended the stream
        // for good.
        if (error != StreamErrc::truncated) {
            EXPECT_THROW(receiver.feed({flipped.data(), 1}), Error);
        }
    }
}

TEST(Stream, EpochsRepeatedOrOutOfOrderAreRefused) {
    const Recorded recorded = record();
    const auto part = [&](std::size_t epoch) {
        return Bytes(
            recorded.bytes.begin() + static_cast<std::ptrdiff_t>(recorded.ends[epoch]),
            recorded.bytes.begin() + static_cast<std::ptrdiff_t>(recorded.ends[epoch + 1]));
    };
    for (const std::vector<std::size_t>& order : {std::vector<std::size_t>{0, 0}, {1, 0}, {0, 2}}) {
        Bytes bytes(recorded.bytes.begin(),
                    recorded.bytes.begin() + static_cast<std::ptrdiff_t>(recorded.ends[0]));
        for (const std::size_t epoch : order) {
            const Bytes next = part(epoch);
            bytes.insert(bytes.end(), next.begin(), next.end());
        }
        EpochReceiver receiver(shape, 1);
        EXPECT_EQ(receive(bytes, 4096, receiver).second, make_error_code(StreamErrc::bad_sequence));
    }
}

TEST(Stream, AnEpochOnAnotherBaseIsRefused) {
    Bytes bytes;
    StreamWriter writer(shape, bytes);
    writer.epoch(5, 4, 0, {});
    EpochReceiver receiver(shape, 1);
    EXPECT_EQ(receive(bytes, 4096, receiver).second, make_error_code(StreamErrc::wrong_base));
}

TEST(Stream, AnotherShapeIsRefused) {
    Bytes bytes;
    StreamWriter writer({64, 41}, bytes);
    EpochReceiver receiver(shape, 1);
    EXPECT_EQ(receive(bytes, 4096, receiver).second, make_error_code(StreamErrc::bad_header));
}

// The bytes of version 1, for good: one epoch with a page of every kind that needs no history.
TEST(Stream, MatchesTheGoldenFile) {
    Bytes bytes;
    StreamWriter writer(shape, bytes);
    codec::EpochEncoder encoder(options());
    codec::test::Page zero(page_size);
    codec::test::Page repeated(page_size, std::byte{0xcc});
    codec::test::Page sparse(page_size);
    codec::test::Page raw(page_size);
    sparse[9] = std::byte{1};
    sparse[4095] = std::byte{2};
    for (std::size_t i = 0; i < raw.size(); ++i)
        raw[i] = static_cast<std::byte>(1 + i * 2654435761u / 65536 % 255);
    const codec::PageIn first[] = {{Pfn{0}, zero.data()},
                                   {Pfn{1}, repeated.data()},
                                   {Pfn{40}, sparse.data()},
                                   {Pfn{41}, raw.data()}};
    writer.epoch(1, 0, 4, encoder.encode(first));
    encoder.commit();
    repeated[100] = std::byte{1};
    const codec::PageIn second[] = {{Pfn{0}, zero.data()}, {Pfn{1}, repeated.data()}};
    writer.epoch(2, 1, 2, encoder.encode(second));
    const Bytes golden =
        warmvm::read_file("tests/unit/stream/golden/version1.bin", std::size_t{1} << 20);
    if (bytes != golden && std::getenv("WRITE_GOLDEN") != nullptr)
        std::ofstream("tests/unit/stream/golden/version1.bin", std::ios::binary)
            .write(reinterpret_cast<const char*>(bytes.data()),
                   static_cast<std::streamsize>(bytes.size()));
    EXPECT_EQ(bytes, golden);
    EpochReceiver receiver(shape, 1);
    EXPECT_EQ(receive(golden, 4096, receiver), std::make_pair(std::uint64_t{2}, std::error_code()));
}

// The image stream of a small guest: zero, repeated, copied, sparse and raw pages.
constexpr std::uint32_t image_pages = 1200;

Bytes image_of_guest() {
    codec::test::Random random(3);
    Bytes image(image_pages * page_size);
    for (std::uint32_t pfn = 1; pfn < image_pages; ++pfn) {
        const std::byte* other = image.data() + random() % pfn * page_size;
        const codec::test::Page page =
            codec::test::changed(codec::test::Page(other, other + page_size), {}, random);
        std::copy(page.begin(), page.end(), image.data() + pfn * page_size);
    }
    return image;
}

Bytes image_stream(const Bytes& image) {
    Bytes bytes;
    const auto pages = static_cast<std::uint32_t>(image.size() / page_size);
    StreamWriter writer({pages, 0}, bytes);
    codec::ImageOptions options;
    options.guest_pages = pages;
    codec::ImageEncoder encoder(options);
    for (std::uint32_t first = 0; first < pages; first += 700) {
        std::vector<codec::PageIn> batch;
        for (std::uint32_t pfn = first; pfn < std::min(pages, first + 700); ++pfn)
            batch.push_back({Pfn{pfn}, image.data() + std::size_t{pfn} * page_size});
        writer.image(encoder.encode(batch));
    }
    writer.image_end();
    return bytes;
}

// The error that ends the stream, and whether the image is complete.
std::pair<bool, std::error_code> receive_image(const Bytes& bytes, std::uint32_t pages,
                                               std::size_t step, Bytes& image) {
    image.assign(std::size_t{pages} * page_size, std::byte{});
    ImageReceiver receiver(pages, image, 2);
    try {
        for (std::size_t at = 0; at < bytes.size() && !receiver.complete();)
            at += receiver.feed({bytes.data() + at, std::min(step, bytes.size() - at)});
    } catch (const Error& error) {
        return {receiver.complete(), error.code()};
    }
    return {receiver.complete(), {}};
}

TEST(ImageStream, RoundTripsInPiecesOfAnySize) {
    const Bytes image = image_of_guest();
    const Bytes bytes = image_stream(image);
    for (const std::size_t step : {std::size_t{13}, std::size_t{4096}, bytes.size()}) {
        Bytes out;
        EXPECT_EQ(receive_image(bytes, image_pages, step, out),
                  std::make_pair(true, std::error_code()));
        EXPECT_EQ(out, image);
    }
}

TEST(ImageStream, CutOrFlippedItIsNeverComplete) {
    const Bytes bytes = image_stream(image_of_guest());
    Bytes out;
    codec::test::Random random(4);
    for (int round = 0; round < 60; ++round) {
        const std::size_t at = random() % bytes.size();
        EXPECT_FALSE(receive_image({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(at)},
                                   image_pages, 65536, out)
                         .first);
        Bytes flipped = bytes;
        flipped[at] ^= static_cast<std::byte>(1u << (at % 8));
        EXPECT_FALSE(receive_image(flipped, image_pages, 65536, out).first) << at;
    }
}

TEST(ImageStream, EpochsAndImagesAreNotMistakenForEachOther) {
    Bytes out;
    EXPECT_EQ(receive_image(record().bytes, shape.guest_pages, 4096, out).second,
              make_error_code(StreamErrc::bad_header));
    EpochReceiver receiver({image_pages, 40}, 1);
    EXPECT_EQ(receive(image_stream(image_of_guest()), 4096, receiver).second,
              make_error_code(StreamErrc::bad_header));
}

TEST(ImageStream, MatchesTheGoldenFile) {
    Bytes image(6 * page_size);
    std::fill_n(image.begin() + page_size, page_size, std::byte{0xcc});
    std::copy_n(image.begin() + page_size, page_size, image.begin() + 3 * page_size);
    image[4 * page_size + 77] = std::byte{9};
    for (std::size_t i = 0; i < page_size; ++i)
        image[5 * page_size + i] = static_cast<std::byte>(1 + i * 2654435761u / 65536 % 255);
    const std::string path = "tests/unit/stream/golden/image1.bin";
    const Bytes bytes = image_stream(image);
    const Bytes golden = warmvm::read_file(path, std::size_t{1} << 20);
    if (bytes != golden && std::getenv("WRITE_GOLDEN") != nullptr)
        std::ofstream(path, std::ios::binary)
            .write(reinterpret_cast<const char*>(bytes.data()),
                   static_cast<std::streamsize>(bytes.size()));
    EXPECT_EQ(bytes, golden);
    Bytes out;
    EXPECT_EQ(receive_image(golden, 6, 4096, out), std::make_pair(true, std::error_code()));
    EXPECT_EQ(out, image);
}

}  // namespace
}  // namespace replication::stream
