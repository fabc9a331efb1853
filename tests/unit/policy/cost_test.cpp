// SPDX-License-Identifier: GPL-2.0-only
#include "policy/cost.hpp"

#include <gtest/gtest.h>

#include "policy/units.hpp"

namespace roothammer::policy {
namespace {

// The paper's own sum (section 4.5): r(n) = 3.9 n + 60 - 17 alpha.
TEST(Cost, IsThePapers) {
    for (const double alpha : {0.0, 0.5, 1.0}) {
        CostModel model;
        model.alpha = alpha;
        for (std::uint64_t n = 1; n <= 11; ++n) {
            const auto guests = static_cast<double>(n);
            EXPECT_NEAR(cost_of(model, n).saved, 3.9 * guests + 60 - 17 * alpha, 0.6);
            EXPECT_NEAR(cost_of(model, n).warm, 43 - 0.12 * guests, 0.1);
        }
    }
}

TEST(Cost, NoTimeIsNegative) {
    const auto cost = cost_of({}, 1000);
    EXPECT_NEAR(cost.warm, 0.43 * 1000 - 0.07, 1e-9) << "reboot_vmm(1000) is 0, not -507";
}

TEST(Cost, WithoutGuestsNoneIsShutDown) {
    EXPECT_DOUBLE_EQ(cost_of({}, 0).cold, 47 + 43);
}

TEST(Cost, TheLongerOfModelAndMeasurement) {
    const auto cost = cost_of({}, 3);
    EXPECT_DOUBLE_EQ(expected_downtime(cost, {}), cost.warm);
    EXPECT_DOUBLE_EQ(expected_downtime(cost, LastReboot{3, 1}), cost.warm);
    EXPECT_DOUBLE_EQ(expected_downtime(cost, LastReboot{3, 400}), 400);
}

TEST(Units, ForPeople) {
    EXPECT_EQ(in_words(0.0), "0 s");
    EXPECT_EQ(in_words(45.0), "45 s");
    EXPECT_EQ(in_words(110.0), "110 s");
    EXPECT_EQ(in_words(12600.0), "3.5 hours");
    EXPECT_EQ(in_words(86400.0 * 12), "12 days");
    EXPECT_EQ(in_words(std::chrono::milliseconds(90500)), "90 s");
    EXPECT_EQ(in_bytes(512.0 * 1024 * 1024), "512 MiB");
    EXPECT_EQ(in_bytes(-3.0 * 1024 * 1024 * 1024), "-3 GiB");
    EXPECT_EQ(rounded(0.01234), "0.012");
}

}  // namespace
}  // namespace roothammer::policy
