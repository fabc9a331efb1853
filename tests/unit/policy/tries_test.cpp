// SPDX-License-Identifier: GPL-2.0-only
#include "policy/tries.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace roothammer::policy {
namespace {

using namespace std::chrono_literals;

const Moment then{"a", 1000s, 5000};

TEST(Tries, ReadsWhatItWrites) {
    for (const auto& tries : {Tries(), Tries{Tries::Stage::acting, 1, then, ""},
                              Tries{Tries::Stage::failed, 7, then, "a \"reason\"\n"}}) {
        EXPECT_EQ(parse_tries(to_text(tries)), tries);
    }
}

TEST(Tries, RefusesWhatIsNone) {
    const auto good = to_text(Tries{Tries::Stage::failed, 2, then, "x"});
    for (std::size_t length = 0; length < good.size(); ++length) {
        EXPECT_THROW((void)parse_tries(good.substr(0, length)), warmvm::Error) << length;
    }
    for (std::size_t at = 0; at < good.size(); ++at) {
        auto bad = good;
        bad[at] = static_cast<char>(bad[at] ^ 1);
        EXPECT_THROW((void)parse_tries(bad), warmvm::Error) << at;
    }
}

TEST(Tries, HowOneEnded) {
    const Tries acting{Tries::Stage::acting, 2, then, ""};
    EXPECT_EQ(settle(acting, {"a", 1100s, 5100}, 3).stage, Tries::Stage::failed);
    EXPECT_EQ(settle(acting, {"a", 1100s, 5100}, 3).at, then);
    EXPECT_EQ(settle(acting, {"b", 10s, 5200}, 1), Tries());
    EXPECT_EQ(settle(acting, {"b", 10s, 5200}, 0).stage, Tries::Stage::failed);
    EXPECT_EQ(settle(acting, {"b", 10s, 5200}, 0).failures, 2u);
    EXPECT_EQ(settle(acting, {"b", 10s, 5200}, std::nullopt).stage, Tries::Stage::failed);
    const Tries failed{Tries::Stage::failed, 2, then, "x"};
    EXPECT_EQ(settle(failed, {"b", 10s, 5200}, 1), failed) << "some other reboot cures nothing";
}

TEST(Tries, TimeSinceIsNeverTooMuch) {
    const Tries failed{Tries::Stage::failed, 1, then, "x"};
    EXPECT_EQ(time_since(failed, {"a", 1060s, 9999999}), 60s) << "whatever the wall clock says";
    EXPECT_EQ(time_since(failed, {"b", 30s, 9999999}), 30s);
    EXPECT_EQ(time_since(failed, {"a", 900s, 5000}), 0s);
}

TEST(Tries, BackOffDoublesUpToABound) {
    EXPECT_EQ(back_off(1, 6h), 6h);
    EXPECT_EQ(back_off(2, 6h), 12h);
    EXPECT_EQ(back_off(3, 6h), 24h);
    EXPECT_EQ(back_off(1000, 6h), std::chrono::days(28));
}

}  // namespace
}  // namespace roothammer::policy
