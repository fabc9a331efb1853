// SPDX-License-Identifier: GPL-2.0-only
#include "host/plan.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "roothammer/timeline.hpp"

namespace roothammer {
namespace {

Plan sample() {
    Plan plan;
    plan.token = 0xfedcba9876543210;
    plan.boot_id = "boot";
    plan.timeout = std::chrono::milliseconds(1500);
    plan.on_guest_failure = OnGuestFailure::shutdown;
    plan.stage = Stage::freezing;
    plan.guests.push_back({warmvm::DomId(3), "we\"b", {}, GuestStage::suspending, true, "note"});
    return plan;
}

TEST(Plan, ReadsWhatItWrites) {
    const auto plan = parse_plan(to_json(sample()));
    EXPECT_EQ(plan.token, sample().token);
    EXPECT_EQ(plan.timeout.count(), 1500);
    EXPECT_EQ(plan.on_guest_failure, OnGuestFailure::shutdown);
    EXPECT_EQ(plan.stage, Stage::freezing);
    ASSERT_EQ(plan.guests.size(), 1u);
    EXPECT_EQ(plan.guests[0].name, "we\"b");
    EXPECT_EQ(plan.guests[0].stage, GuestStage::suspending);
}

TEST(Plan, ReadsEveryStageOfAGuestThatItWrites) {
    for (const auto stage : {GuestStage::running, GuestStage::suspending, GuestStage::frozen,
                             GuestStage::shut_down, GuestStage::put_back, GuestStage::unanswered}) {
        auto plan = sample();
        plan.guests[0].stage = stage;
        EXPECT_EQ(parse_plan(to_json(plan)).guests.at(0).stage, stage) << name(stage);
    }
}

TEST(Plan, SaysWhetherAGuestIsFitWhateverItsNote) {
    for (const bool fit : {true, false}) {
        auto plan = sample();
        plan.guests[0].fit = fit;
        EXPECT_EQ(parse_plan(to_json(plan)).guests.at(0).fit, fit);
    }
}

TEST(Plan, WithoutTheFieldAGuestWithANoteIsNotFit) {
    for (const std::string note : {"", "not fit to be frozen"}) {
        auto plan = sample();
        plan.guests[0].note = note;
        auto json = nlohmann::json::parse(to_json(plan));
        json["guests"][0].erase("fit");
        EXPECT_EQ(parse_plan(json.dump()).guests.at(0).fit, note.empty());
    }
}

TEST(Plan, RefusesWhatIsNone) {
    const auto good = to_json(sample());
    const auto with = [&](const std::string& from, const std::string& to) {
        auto text = good;
        text.replace(text.find(from), from.size(), to);
        return text;
    };
    for (const auto& text :
         {std::string(), std::string("{}"), std::string("[]"), good.substr(0, good.size() / 2),
          with("freezing", "melting"), with("fedcba9876543210", "0"),
          with("fedcba9876543210", "fedcba98765432100"), with("fedcba9876543210", "xyz"),
          with("\"version\": 1", "\"version\": 2"), with("\"domid\": 3", "\"domid\": \"3\""),
          with("\"fit\": true", "\"fit\": 1"), with("00000000-0000", "0000000-0000")}) {
        EXPECT_THROW((void)parse_plan(text), warmvm::Error) << text;
    }
}

TEST(Timeline, ReadsWhatItWritesAndShowsItInOrder) {
    Timeline timeline;
    timeline.tsc_khz = 1000;
    timeline.jump = 5000;
    timeline.entry = 6000;
    GuestTimes guest;
    guest.name = "web";
    guest.asked = 3000;
    guest.suspended = 4000;
    guest.running = 9000;
    guest.commit_ticks = 77;
    guest.written.push_back({"console ring", 5, 6});
    timeline.guests.push_back(guest);
    const auto again = parse_timeline(to_json(timeline));
    EXPECT_EQ(to_json(again), to_json(timeline));
    EXPECT_EQ(again.guests.at(0).commit_ticks, 77u);
    const auto table = to_table(again);
    EXPECT_EQ(table,
              "        -2.000 ms  web asked to suspend\n"
              "        -1.000 ms  web suspended\n"
              "         0.000 ms  jump\n"
              "         1.000 ms  new Xen's first line\n"
              "         4.000 ms  web running\n"
              "         5.000 ms  blackout of web, from suspended to running\n");
    EXPECT_THROW((void)parse_timeline("{\"version\":1}"), warmvm::Error);
}

TEST(Timeline, OfGuestsWithThousandsOfProcessesCanBeReadAgain) {
    Timeline timeline;
    timeline.guests.resize(1);
    constexpr std::uint64_t tables = 20000;
    for (std::uint64_t i = 0; i < tables; ++i) {
        timeline.guests[0].written.push_back({"pinned L4, Xen's slots", i, i + 1});
    }
    const auto file = std::filesystem::path(::testing::TempDir()) / "roothammer-timeline" / "last";
    store_timeline(file, timeline);
    const auto again = load_timeline(file);
    std::filesystem::remove_all(file.parent_path());
    ASSERT_TRUE(again);
    EXPECT_EQ(again->guests.at(0).written.size(), tables);
}

}  // namespace
}  // namespace roothammer
