// SPDX-License-Identifier: GPL-2.0-only
#include "xbzrle.hpp"

#include <gtest/gtest.h>

#include "pages.hpp"

namespace replication::bench {
namespace {

namespace test = codec::test;
TEST(Xbzrle, RoundTripsOrSaysThatThePageDoesNotFit) {
    test::Random random(1);
    test::Page base = test::pointer_page(random);
    Bytes coded(xbzrle_bound);
    int coded_pages = 0;
    for (int round = 0; round < 3000; ++round) {
        const test::Page page = test::changed(base, {}, random);
        if (const auto size = xbzrle_encode(base.data(), page.data(), coded.data())) {
            test::Page decoded = base;
            ASSERT_TRUE(xbzrle_decode(coded.data(), *size, decoded.data()));
            ASSERT_EQ(decoded, page);
            ++coded_pages;
        }
        base = page;
    }
    EXPECT_GT(coded_pages, 1000);
}

// The bytes of the published format: 5 equal, 2 new, 300 equal, 1 new.
TEST(Xbzrle, IsThePublishedFormat) {
    const test::Page base(page_size);
    test::Page page = base;
    page[5] = std::byte{0xaa};
    page[6] = std::byte{0xbb};
    page[307] = std::byte{0xcc};
    Bytes coded(xbzrle_bound);
    const auto size = xbzrle_encode(base.data(), page.data(), coded.data());
    ASSERT_TRUE(size);
    coded.resize(*size);
    std::vector<int> octets;
    for (const std::byte octet : coded) octets.push_back(std::to_integer<int>(octet));
    EXPECT_EQ(octets, (std::vector<int>{5, 2, 0xaa, 0xbb, 0xac, 0x02, 1, 0xcc}));
}

}  // namespace
}  // namespace replication::bench
