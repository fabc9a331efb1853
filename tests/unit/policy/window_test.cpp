// SPDX-License-Identifier: GPL-2.0-only
#include "policy/window.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <time.h>

#include "policy/ports.hpp"

namespace roothammer::policy {
namespace {

using std::chrono::seconds;

constexpr int sunday = 0;
constexpr int monday = 1;
constexpr int saturday = 6;

constexpr int at(int hour, int minute = 0) {
    return hour * 60 + minute;
}

TEST(Window, OpensAndCloses) {
    const auto window = parse_window("sun 02:00-04:30");
    EXPECT_FALSE(is_open(window, {sunday, at(1, 59)}));
    EXPECT_TRUE(is_open(window, {sunday, at(2)}));
    EXPECT_TRUE(is_open(window, {sunday, at(4, 29)}));
    EXPECT_FALSE(is_open(window, {sunday, at(4, 30)}));
    EXPECT_FALSE(is_open(window, {monday, at(3)}));
}

TEST(Window, AcrossMidnightBelongsToTheDayItOpensOn) {
    const auto window = parse_window("sat 23:00-02:00");
    EXPECT_TRUE(is_open(window, {saturday, at(23)}));
    EXPECT_TRUE(is_open(window, {sunday, at(1, 59)}));
    EXPECT_FALSE(is_open(window, {sunday, at(2)}));
    EXPECT_FALSE(is_open(window, {sunday, at(23, 30)}));
    EXPECT_FALSE(is_open(window, {saturday, at(1)}));
    EXPECT_TRUE(is_open(parse_window("sun 23:00-02:00"), {monday, at(1)}));
}

TEST(Window, Words) {
    EXPECT_TRUE(is_open(parse_window("always"), {monday, 0}));
    EXPECT_TRUE(is_open(parse_window("always"), {monday, at(23, 59)}));
    EXPECT_TRUE(is_open(parse_window("daily 00:00-24:00"), {saturday, at(23, 59)}));
    for (const auto* text :
         {"", "sun", "sun 2:00-3:00", "sun 02:00", "sun 02:00-25:00", "sun 02:60-03:00",
          "sun 02:00-02:00", "sun 24:00-02:00", "sun 02:00-24:01", "holiday 02:00-03:00",
          "sun 02:00-03:00 x", "always 02:00-03:00", "sun, 0x:00-03:00"}) {
        EXPECT_THROW((void)parse_window(text), std::invalid_argument) << text;
    }
}

// A host's own time zone, by the rules that the C library has for it.
class Zone : public ::testing::Test {
  protected:
    Zone() { set("CET-1CEST,M3.5.0,M10.5.0/3"); }
    ~Zone() override {
        ::unsetenv("TZ");
        ::tzset();
    }
    static void set(const char* zone) {
        ::setenv("TZ", zone, 1);
        ::tzset();
    }
    // Minutes within the two days after `from` at which the window is open.
    int minutes_open(const std::string& text, std::int64_t from) {
        const std::vector windows{parse_window(text)};
        int open = 0;
        for (int i = 0; i < 2 * minutes_a_day; ++i) {
            open += open_for(windows, from + i * 60LL, seconds(1), local_).count() > 0;
        }
        return open;
    }
    std::unique_ptr<Clock> clock_ = open_clock();
    ToLocal local_ = [this](std::int64_t wall) { return clock_->local(wall); };
    static constexpr std::int64_t saturday_before_spring = 1774652400;  // 2026-03-28 00:00 CET
    static constexpr std::int64_t saturday_before_autumn = 1792792800;  // 2026-10-24 00:00 CEST
};

TEST_F(Zone, TheMomentsAreWhatTheTestSays) {
    EXPECT_EQ(clock_->local_text(saturday_before_spring), "Sat 2026-03-28 00:00 CET");
    EXPECT_EQ(clock_->local_text(saturday_before_autumn), "Sat 2026-10-24 00:00 CEST");
}

TEST_F(Zone, AnHourThatIsLeftOut) {
    EXPECT_EQ(minutes_open("sun 02:00-03:00", saturday_before_spring), 0);
    EXPECT_EQ(minutes_open("sun 01:00-04:00", saturday_before_spring), 2 * 60);
    EXPECT_EQ(minutes_open("sat 23:00-05:00", saturday_before_spring), 5 * 60);
}

TEST_F(Zone, AnHourThatComesTwice) {
    EXPECT_EQ(minutes_open("sun 02:00-03:00", saturday_before_autumn), 2 * 60);
    EXPECT_EQ(minutes_open("sat 23:00-05:00", saturday_before_autumn), 7 * 60);
}

TEST_F(Zone, OpenForCountsTheMinutesThatReallyPass) {
    const std::vector windows{parse_window("sun 01:00-04:00")};
    const auto spring = saturday_before_spring + 25 * 3600;
    EXPECT_EQ(open_for(windows, spring, seconds(86400), local_), seconds(2 * 3600));
    const auto autumn = saturday_before_autumn + 25 * 3600;
    EXPECT_EQ(open_for(windows, autumn, seconds(86400), local_), seconds(4 * 3600));
    EXPECT_EQ(open_for(windows, autumn + 90, seconds(86400), local_), seconds(4 * 3600 - 90));
    EXPECT_EQ(open_for(windows, autumn, seconds(600), local_), seconds(600));
    EXPECT_EQ(open_for(windows, autumn - 1, seconds(600), local_), seconds(0));
}

TEST_F(Zone, OpenForGoesOnIntoTheNextWindow) {
    const std::vector windows{parse_window("sat 22:00-24:00"), parse_window("sun 00:00-01:00")};
    EXPECT_EQ(open_for(windows, saturday_before_spring + 22 * 3600, seconds(86400), local_),
              seconds(3 * 3600));
}

TEST_F(Zone, NextOpening) {
    const std::vector windows{parse_window("sun 02:00-03:00")};
    // This Sunday has no such hour; the next has.
    const auto next = next_opening(windows, saturday_before_spring, local_);
    ASSERT_TRUE(next);
    EXPECT_EQ(clock_->local_text(*next), "Sun 2026-04-05 02:00 CEST");
    EXPECT_EQ(next_opening(windows, *next + 30, local_), *next + 30) << "open already";
    EXPECT_FALSE(next_opening({}, 0, local_));
}

TEST_F(Zone, AnotherZoneIsAnotherWindow) {
    const std::vector windows{parse_window("sun 02:00-03:00")};
    set("NZST-12NZDT,M9.5.0,M4.1.0/3");
    EXPECT_EQ(clock_->local_text(saturday_before_autumn), "Sat 2026-10-24 11:00 NZDT");
    EXPECT_EQ(next_opening(windows, saturday_before_autumn, local_),
              saturday_before_autumn + 15 * 3600);
}

}  // namespace
}  // namespace roothammer::policy
