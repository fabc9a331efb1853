// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "codec/image_decoder.hpp"
#include "codec/image_encoder.hpp"
#include "pages.hpp"

namespace replication::codec {
namespace {

using Batches = std::vector<std::vector<Bytes>>;

std::vector<test::Page> make_image(std::uint32_t pages) {
    test::Random random(5);
    std::vector<test::Page> image(pages, test::Page(page_size));
    for (std::uint32_t pfn = 1; pfn < pages; ++pfn)
        image[pfn] = test::changed(image[random() % pfn], {image[random() % pfn]}, random);
    return image;
}

Batches encode(const std::vector<test::Page>& image, ImageOptions options, std::size_t batch) {
    ImageEncoder encoder(options);
    Batches batches;
    for (std::size_t first = 0; first < image.size(); first += batch) {
        std::vector<PageIn> pages;
        for (std::size_t pfn = first; pfn < std::min(image.size(), first + batch); ++pfn)
            pages.push_back({Pfn(pfn), image[pfn].data()});
        batches.emplace_back();
        for (const auto& chunk : encoder.encode(pages))
            batches.back().emplace_back(chunk.begin(), chunk.end());
    }
    return batches;
}

Status decode(const Batches& batches, const ImageOptions& options, Bytes& out) {
    out.assign(std::size_t{options.guest_pages} * page_size, std::byte{});
    ImageDecoder decoder(options, out);
    for (const auto& batch : batches) {
        const std::vector<Chunk> chunks(batch.begin(), batch.end());
        if (const Status status = decoder.decode(chunks); status != Status::ok) return status;
    }
    return Status::ok;
}

TEST(Image, RoundTripsAlikeOnAnyThreadsInstructionSetAndTable) {
    const auto image = make_image(2000);
    Bytes flat;
    for (const auto& page : image) flat.insert(flat.end(), page.begin(), page.end());
    for (const std::uint32_t remembered : {1u, 64u, 1u << 16}) {
        Batches reference;
        for (const Isa isa : available_isas()) {
            for (const unsigned threads : {1u, 3u}) {
                ImageOptions options;
                options.guest_pages = 2000;
                options.remembered_pages = remembered;
                options.threads = threads;
                options.isa = isa;
                const Batches batches = encode(image, options, 1200);
                if (reference.empty()) reference = batches;
                ASSERT_EQ(batches, reference);
                Bytes out;
                ASSERT_EQ(decode(batches, options, out), Status::ok);
                ASSERT_EQ(out, flat);
            }
        }
    }
}

TEST(Image, AChunkRepeatedOrOutOfOrderIsRefused) {
    const auto image = make_image(2000);
    ImageOptions options;
    options.guest_pages = 2000;
    Batches batches = encode(image, options, 2000);
    Bytes out;
    std::swap(batches[0][0], batches[0][1]);
    EXPECT_NE(decode(batches, options, out), Status::ok);
    batches[0] = {batches[0][1], batches[0][1]};
    EXPECT_NE(decode(batches, options, out), Status::ok);
}

}  // namespace
}  // namespace replication::codec
