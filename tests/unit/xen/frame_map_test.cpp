// SPDX-License-Identifier: GPL-2.0-only
#include "xen/frame_map.hpp"

#include <gtest/gtest.h>

namespace warmvm {
namespace {

TEST(FrameMap, TranslatesBothWays) {
    const FrameMap map({{100, Mfn(5000), 10, 0}, {0, Mfn(9000), 50, 0}, {60, Mfn(1), 1, 4}});
    EXPECT_EQ(map.frames(), 61u);
    EXPECT_EQ(map.mfn(Pfn(0)), Mfn(9000));
    EXPECT_EQ(map.mfn(Pfn(49)), Mfn(9049));
    EXPECT_EQ(map.mfn(Pfn(50)), std::nullopt);
    EXPECT_EQ(map.mfn(Pfn(60)), Mfn(1));
    EXPECT_EQ(map.mfn(Pfn(99)), std::nullopt);
    EXPECT_EQ(map.mfn(Pfn(109)), Mfn(5009));
    EXPECT_EQ(map.mfn(Pfn(110)), std::nullopt);
    EXPECT_EQ(map.pfn(Mfn(5009)), Pfn(109));
    EXPECT_EQ(map.pfn(Mfn(5010)), std::nullopt);
    EXPECT_EQ(map.pfn(Mfn(0)), std::nullopt);
    EXPECT_EQ(map.pfn(Mfn(1)), Pfn(60));
    EXPECT_EQ(map.extents().front().gfn, 0u);
}

TEST(FrameMap, RefusesExtentsThatCannotBe) {
    EXPECT_THROW(FrameMap({{0, Mfn(0), 0, 0}}), Error);                       // empty
    EXPECT_THROW(FrameMap({{0, Mfn(0), 2, 1}}), Error);                       // pinned and two
    EXPECT_THROW(FrameMap({{0, Mfn(0), 1, 5}}), Error);                       // level 5
    EXPECT_THROW(FrameMap({{~0ull, Mfn(0), 1, 0}}), Error);                   // beyond the machine
    EXPECT_THROW(FrameMap({{0, Mfn(~0ull - 3), 8, 0}}), Error);               // wraps
    EXPECT_THROW(FrameMap({{0, Mfn(0), 8, 0}, {7, Mfn(100), 1, 0}}), Error);  // gfns overlap
    EXPECT_THROW(FrameMap({{0, Mfn(0), 8, 0}, {8, Mfn(7), 1, 0}}), Error);    // mfns overlap
    EXPECT_NO_THROW(FrameMap({{0, Mfn(0), 8, 0}, {8, Mfn(8), 1, 0}}));
}

}  // namespace
}  // namespace warmvm
