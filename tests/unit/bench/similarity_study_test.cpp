// SPDX-License-Identifier: GPL-2.0-only
#include "similarity_study.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "pages.hpp"

namespace replication::bench {
namespace {

// Page 1 becomes what page 0 is; half of page 2 changes.
TEST(SimilarityStudy, CountsWhatIsAlike) {
    const std::filesystem::path path =
        std::filesystem::path(testing::TempDir()) / "similarity_study_test.trace";
    codec::test::Random random(1);
    std::vector<codec::test::Page> image;
    for (int pfn = 0; pfn < 3; ++pfn) image.push_back(codec::test::random_page(random));
    trace::TraceWriter writer(path);
    Bytes flat;
    for (const auto& page : image) flat.insert(flat.end(), page.begin(), page.end());
    writer.first_image(flat);
    codec::test::Page half = image[2];
    for (std::size_t i = 0; i < page_size; i += 2) half[i] ^= std::byte{0x80};
    Bytes epoch = image[0];
    epoch.insert(epoch.end(), half.begin(), half.end());
    const std::uint32_t pfns[] = {1, 2};
    writer.epoch(pfns, epoch);
    writer.close();
    const trace::TraceFile trace(path);
    for (const std::size_t size : {std::size_t{64}, std::size_t{4096}}) {
        const SimilarityShare share = study_similarity(trace, size, 1);
        EXPECT_EQ(share.blocks, 2 * page_size / size);
        EXPECT_EQ(share.bytes, 2 * page_size);
        EXPECT_NEAR(static_cast<double>(share.self), page_size / 2.0, page_size / 64.0);
        EXPECT_EQ(share.exact, page_size / size);
        EXPECT_GE(share.projection, page_size + page_size / 2 - page_size / 64);
    }
    std::filesystem::remove(path);
}

}  // namespace
}  // namespace replication::bench
