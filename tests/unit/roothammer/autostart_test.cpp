// SPDX-License-Identifier: GPL-2.0-only
// While anything is preserved, xendomains must not give a guest a second life from its disk.
#include "roothammer/autostart.hpp"

#include <algorithm>

#include "roothammer/rescue.hpp"
#include "scenario.hpp"

namespace roothammer {
namespace {

using warmvm::Reason;
using warmvm::SetId;

class Autostart : public Scenario {
  protected:
    // All lines as one text; empty: guests may be started.
    std::string reasons() {
        std::string text;
        for (const auto& line : reasons_against_autostart(host())) text += line + "\n";
        return text;
    }
    bool is_told(const std::string& what) {
        const auto text = reasons();
        return text.find(what) != std::string::npos;
    }
};

TEST_F(Autostart, IsFreeWhereNothingIsPreserved) {
    EXPECT_EQ(reasons(), "");
    machine_->has_feature = false;
    EXPECT_EQ(reasons(), "");
}

TEST_F(Autostart, WaitsForEveryPreservedGuest) {
    reboot_warm();
    for (const auto* name : {"web", "mail", "db"}) {
        EXPECT_TRUE(is_told(std::string("guest ") + name + " is preserved and not resumed"));
        for (const auto& outcome : resume(host(), {{name}, false})) {
            EXPECT_EQ(outcome.trouble, std::nullopt);
        }
        EXPECT_FALSE(is_told(std::string("guest ") + name));
    }
    EXPECT_EQ(reasons(), "");
}

TEST_F(Autostart, SaysTheWaysOut) {
    reboot_warm();
    for (const auto* way : {"`roothammer resume`", "`roothammer rescue NAME FILE`",
                            "`roothammer discard NAME`", "`systemctl start xendomains`"}) {
        EXPECT_TRUE(is_told(way)) << way;
    }
    EXPECT_FALSE(is_told("recover"));
    EXPECT_FALSE(is_told("discard unreadable"));
}

TEST_F(Autostart, WaitsForAGuestWhoseResumeWasKilled) {
    reboot_warm();
    kill_resume("web", "commit");
    EXPECT_TRUE(is_told("guest web is being resumed, or its resume was killed"));
    EXPECT_TRUE(is_told("`roothammer resume`"));
}

TEST_F(Autostart, WaitsForAGuestWhoseStateCannotBeRead) {
    reboot_warm();
    machine_->preserved.at(1).blob.resize(10);
    EXPECT_TRUE(is_told("guest set 1 is preserved and not resumed (its state cannot be read"));
}

TEST_F(Autostart, WaitsForAnUnreadableSet) {
    reboot_warm();
    machine_->damage(SetId(3), Reason::checksum);
    resume(host(), {});
    EXPECT_EQ(machine_->domains.size(), 2u);
    EXPECT_TRUE(is_told("set 3 is unreadable (its record's checksum differs)"));
    EXPECT_TRUE(is_told("`roothammer discard unreadable`"));
    EXPECT_FALSE(is_told("roothammer rescue"));
    EXPECT_EQ(resume(host(), {}).at(0).trouble, "its record's checksum differs");
    EXPECT_NE(reasons(), "");

    discard(host(), "unreadable");
    EXPECT_EQ(reasons(), "");
}

TEST_F(Autostart, WaitsForAnUnreadableRecord) {
    reboot_warm();
    machine_->damage_record(Reason::version);
    EXPECT_TRUE(is_told("its record is of an unknown version"));
    EXPECT_TRUE(is_told("`roothammer discard unreadable`"));
    discard(host(), "unreadable");
    EXPECT_EQ(reasons(), "");
}

TEST_F(Autostart, WaitsForFramesThatNoSetNames) {
    machine_->host_info.unreadable_frames = 7;
    EXPECT_TRUE(is_told("7 frames"));
    EXPECT_TRUE(is_told("`roothammer discard unreadable`"));
}

TEST_F(Autostart, WaitsForAFrozenGuest) {
    kill_freeze("arm");
    EXPECT_TRUE(is_told("is frozen by a warm reboot"));
    EXPECT_TRUE(is_told("`roothammer recover`"));
    recover(host(), "test");
    EXPECT_EQ(reasons(), "");
}

TEST_F(Autostart, IsEndedByRescueAndDiscardTogether) {
    reboot_warm();
    resume(host(), {{"mail", "db"}, false});
    rescue(host(), "web", root_ / "web.save");
    EXPECT_TRUE(is_told("guest web"));
    discard(host(), "web");
    EXPECT_EQ(reasons(), "");
}

TEST_F(Autostart, AHypervisorThatDoesNotAnswerGivesNoLeave) {
    reboot_warm();
    for (unsigned call = 1;; ++call) {
        machine_->failed_call.clear();
        machine_->fail_at = machine_->calls + call;
        std::string text;
        bool threw = false;
        try {
            text = reasons();
        } catch (const std::exception&) {
            threw = true;
        }
        if (machine_->failed_call.empty()) break;
        EXPECT_TRUE(threw || !text.empty()) << machine_->failed_call;
    }
}

}  // namespace
}  // namespace roothammer
