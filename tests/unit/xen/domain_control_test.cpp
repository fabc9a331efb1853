// SPDX-License-Identifier: GPL-2.0-only
#include "xen/domain_control.hpp"

#include <gtest/gtest.h>

namespace warmvm {
namespace {

// The flags as libxl__arch_domain_prepare_config and Xen itself set them.
TEST(GuestKinds, AreToldByWhatXenEmulates) {
    constexpr std::uint32_t lapic = 1u << 0;
    constexpr std::uint32_t pit = 1u << 8;
    constexpr std::uint32_t all_but_vpci = (1u << 10) - 1;
    EXPECT_EQ(kind_of(false, pit), GuestKind::pv);
    EXPECT_EQ(kind_of(true, lapic), GuestKind::pvh);
    EXPECT_EQ(kind_of(true, 0), GuestKind::pvh);
    EXPECT_EQ(kind_of(true, all_but_vpci), GuestKind::hvm);
}

TEST(GuestKinds, HaveLibxlsNames) {
    for (const auto kind : {GuestKind::pv, GuestKind::pvh, GuestKind::hvm}) {
        EXPECT_EQ(parse_guest_kind(str(kind)), kind);
    }
    EXPECT_EQ(str(GuestKind::pvh), "pvh");
    EXPECT_EQ(parse_guest_kind("invalid"), std::nullopt);
}

}  // namespace
}  // namespace warmvm
