// SPDX-License-Identifier: GPL-2.0-only
// Guests that another program saves, migrates or keeps: nothing that we do or advise touches them.
#include <algorithm>

#include "preflight/other_hands.hpp"
#include "scenario.hpp"

namespace roothammer {
namespace {

using fake::Rebooted;
using warmvm::ShutdownReason;

class OtherHandsTest : public Scenario {
  protected:
    fake::Domain& guest(const std::string& name) { return *machine_->find(name); }
    [[nodiscard]] GuestStage stage(std::size_t guest) const {
        return load_plan(paths_.plan())->guests.at(guest).stage;
    }
    [[nodiscard]] bool is_untouched(const std::string& name) const {
        const auto* found = machine_->find(name);
        return found != nullptr && found->shutdown == ShutdownReason::suspend &&
               found->times_cancelled == 0;
    }
    // A warm reboot that comes to nothing, and leaves its plan behind.
    void abort_one() {
        guest("db").suspends = fake::Domain::Suspends::never;
        prepare();
        EXPECT_THROW(freeze(host()), warmvm::Error);
        guest("db").suspends = fake::Domain::Suspends::yes;
        for (const char* name : {"web", "mail", "db"}) guest(name).times_cancelled = 0;
    }
    // "db" takes our request up and answers when nobody waits any more; recover() has given up.
    void leave_db_unanswered() {
        guest("db").suspends = fake::Domain::Suspends::late;
        guest("db").late_by = 1000000;
        prepare();
        EXPECT_THROW(freeze(host()), warmvm::Error);
        ASSERT_EQ(stage(2), GuestStage::unanswered);
    }
    std::string error_of_freeze() {
        try {
            freeze(host());
        } catch (const warmvm::Error& error) {
            return error.what();
        }
        return "";
    }
};

// A save of the operator's in the boot of dom0 in which a warm reboot was tried and called off.
TEST_F(OtherHandsTest, RecoverAfterAnAbortWakesNoGuestThatIsBeingSaved) {
    abort_one();
    for (const char* name : {"web", "mail", "db"}) {
        guest(name).shutdown = ShutdownReason::suspend;
        const auto left = recover(host(), "by hand");
        EXPECT_TRUE(left.suspended.empty());
        EXPECT_TRUE(is_untouched(name)) << name;
        guest(name).shutdown.reset();
    }
}

TEST_F(OtherHandsTest, RecoverOfAKilledFreezeWakesNoGuestThatItHadNotAsked) {
    kill_freeze("preserve");
    ASSERT_EQ(stage(0), GuestStage::suspending);
    ASSERT_EQ(stage(2), GuestStage::running);
    guest("db").shutdown = ShutdownReason::suspend;
    recover(host(), "killed");
    EXPECT_TRUE(is_untouched("db"));
    EXPECT_TRUE(guest("web").runs());
}

TEST_F(OtherHandsTest, RecoverLeavesAPauseAloneThatIsNotItsOwn) {
    kill_freeze("preserve");
    guest("web").toolstack_pauses = 1;  // asked, and paused by somebody else since
    recover(host(), "killed");
    EXPECT_EQ(guest("web").toolstack_pauses, 1);
    EXPECT_FALSE(guest("web").shutdown.has_value());
}

TEST_F(OtherHandsTest, AGuestThatXlCouldNotWakeIsOurs) {
    guest("web").refusal = {warmvm::Reason::frame_range, 0x20123};
    machine_->killed_tools = {"wake"};
    prepare();
    EXPECT_THROW(freeze(host()), warmvm::Error);
    EXPECT_EQ(machine_->what_is_not_as_before(), "");
    EXPECT_EQ(guest("web").times_cancelled, 1);
}

TEST_F(OtherHandsTest, ALateAnswerIsWokenWhenItsOwnerNamesIt) {
    leave_db_unanswered();
    EXPECT_EQ(recover(host(), "again").may_suspend, std::vector<std::string>{"db"});
    guest("db").shutdown = ShutdownReason::suspend;
    EXPECT_EQ(recover(host(), "again").suspended, std::vector<std::string>{"db"});
    EXPECT_TRUE(is_untouched("db"));
    EXPECT_TRUE(recover(host(), "again", {"db"}).suspended.empty());
    EXPECT_TRUE(guest("db").runs());
    EXPECT_EQ(stage(2), GuestStage::put_back);
    // And from then on it is nobody's but its owner's.
    guest("db").times_cancelled = 0;
    guest("db").shutdown = ShutdownReason::suspend;
    EXPECT_TRUE(recover(host(), "again").suspended.empty());
    EXPECT_TRUE(is_untouched("db"));
}

// It has given the request up, as Linux does after 20 s.
TEST_F(OtherHandsTest, NamingAGuestThatRunsDoesNothingToItAndEndsTheMatter) {
    leave_db_unanswered();
    EXPECT_TRUE(recover(host(), "again", {"db"}).may_suspend.empty());
    EXPECT_EQ(guest("db").times_cancelled, 0);
    guest("db").shutdown = ShutdownReason::suspend;
    EXPECT_THROW(recover(host(), "again", {"db"}), warmvm::Error);
    EXPECT_TRUE(is_untouched("db"));
}

TEST_F(OtherHandsTest, AnotherTryDoesNotForgetWhoHasNotAnswered) {
    leave_db_unanswered();
    guest("web").suspends = fake::Domain::Suspends::never;
    prepare();
    EXPECT_THROW(freeze(host()), warmvm::Error);
    guest("db").shutdown = ShutdownReason::suspend;
    EXPECT_EQ(recover(host(), "again").suspended, std::vector<std::string>{"db"});
    recover(host(), "again", {"db"});
    EXPECT_TRUE(guest("db").runs());
}

TEST_F(OtherHandsTest, AFrozenGuestWithoutASetHasBeenPutBackAlready) {
    prepare();
    auto plan = load_plan(paths_.plan()).value();
    plan.stage = Stage::freezing;
    plan.guests.at(0).stage = GuestStage::frozen;
    store_plan(paths_.plan(), plan);
    guest("web").shutdown = ShutdownReason::suspend;
    recover(host(), "again");
    EXPECT_TRUE(is_untouched("web"));
}

TEST_F(OtherHandsTest, XenstoredsTroubleHoldsNoGuest) {
    kill_freeze("arm");
    machine_->fail_in = "store resume_domain";
    EXPECT_THROW(recover(host(), "killed"), warmvm::Error);
    EXPECT_EQ(machine_->what_is_not_as_before(), "");
}

// Asked and put back, then saved or kept by others while it was asked to shut down.
TEST_F(OtherHandsTest, AGuestThatIsGivenUpIsNotOursAnyMore) {
    for (const auto reason : {ShutdownReason::suspend, ShutdownReason::crash}) {
        reset();
        options_.on_guest_failure = OnGuestFailure::shutdown;
        guest("db").suspends = fake::Domain::Suspends::never;
        prepare();
        machine_->on_shutdown = [&] { guest("db").shutdown = reason; };
        EXPECT_NE(error_of_freeze().find("guest db: it "), std::string::npos);
        ASSERT_NE(machine_->find("db"), nullptr);
        EXPECT_EQ(guest("db").shutdown, reason);
        EXPECT_EQ(guest("db").times_cancelled, 0);
        EXPECT_TRUE(guest("web").runs());
    }
}

TEST_F(OtherHandsTest, AGuestThatNoWarmRebootLeftIsNotWokenEvenIfNamed) {
    abort_one();
    guest("web").shutdown = ShutdownReason::suspend;
    for (const char* name : {"web", "nobody"}) {
        EXPECT_THROW(recover(host(), "by hand", {name}), warmvm::Error);
    }
    EXPECT_TRUE(is_untouched("web"));
}

TEST_F(OtherHandsTest, AGuestThatIsSavedBeforeItsTurnStopsTheReboot) {
    for (const auto policy : {OnGuestFailure::abort, OnGuestFailure::shutdown}) {
        for (const bool held : {false, true}) {
            reset();
            options_.on_guest_failure = policy;
            if (held) {  // while its own save is held already
                machine_->on_suspend = [&] { guest("db").shutdown = ShutdownReason::suspend; };
            }
            prepare();
            if (!held) guest("db").shutdown = ShutdownReason::suspend;
            EXPECT_NE(error_of_freeze().find("guest db: it is suspended"), std::string::npos);
            EXPECT_TRUE(is_untouched("db"));
            EXPECT_TRUE(guest("web").runs());
            EXPECT_TRUE(guest("mail").runs());
        }
    }
}

TEST_F(OtherHandsTest, WithShutdownNoGuestIsEndedThatSomebodyElseIsAtWorkOn) {
    options_.on_guest_failure = OnGuestFailure::shutdown;
    const std::map<std::string, std::function<void()>> hands{
        {"suspended", [&] { guest("web").shutdown = ShutdownReason::suspend; }},
        {"crashed", [&] { guest("web").shutdown = ShutdownReason::crash; }},
        {"watchdog", [&] { guest("web").shutdown = ShutdownReason::watchdog; }},
        {"kept after poweroff", [&] { guest("web").shutdown = ShutdownReason::poweroff; }},
        {"paused", [&] { guest("web").toolstack_pauses = 1; }},
        {"asked", [&] { machine_->nodes["/local/domain/1/control/shutdown"] = "suspend"; }},
        {"migrated",
         [&] {
             guest("web").refusal = {warmvm::Reason::log_dirty, 0};
         }},
    };
    for (const auto& [what, take] : hands) {
        for (const bool fit : {true, false}) {
            reset();
            auto plan = report();
            plan.guests.at(0).fit = fit;
            start_warm_reboot(host(), options_, plan);
            take();
            EXPECT_NE(error_of_freeze().find("guest web: "), std::string::npos) << what;
            ASSERT_NE(machine_->find("web"), nullptr) << what;
            EXPECT_EQ(guest("web").times_cancelled, 0) << what;
            EXPECT_TRUE(guest("db").runs()) << what;
        }
    }
}

TEST_F(OtherHandsTest, AGuestThatItsOwnerShutsDownMeanwhileIsNoObstacle) {
    prepare();
    guest("db").shutdown = ShutdownReason::poweroff;
    machine_->on_sleep = [&] {
        if (auto* ended = machine_->find("db")) machine_->destroy(ended->id);
    };
    EXPECT_THROW(freeze(host()), Rebooted);
    EXPECT_EQ(machine_->preserved.size(), 2u);
}

TEST_F(OtherHandsTest, AGuestThatShutsDownInsteadOfSuspendingIsNoObstacle) {
    guest("db").suspends = fake::Domain::Suspends::never;
    prepare();
    std::size_t asked = 0;
    machine_->on_suspend = [&] {
        if (++asked == 3) guest("db").shutdown = ShutdownReason::poweroff;
    };
    machine_->on_sleep = [&] {
        if (auto* ended = machine_->find("db"); ended != nullptr && ended->shutdown) {
            machine_->destroy(ended->id);
        }
    };
    EXPECT_THROW(freeze(host()), Rebooted);
    EXPECT_EQ(machine_->preserved.size(), 2u);
}

TEST_F(OtherHandsTest, AGuestThatRebootsMeanwhileStopsTheReboot) {
    prepare();
    guest("db").shutdown = ShutdownReason::reboot;
    EXPECT_NE(error_of_freeze().find("guest db was rebooted"), std::string::npos);
    EXPECT_TRUE(guest("web").runs());
}

TEST_F(OtherHandsTest, AGuestThatHasRebootedUnseenStopsTheReboot) {
    prepare();
    const auto uuid = guest("db").uuid;
    machine_->destroy(guest("db").id);
    machine_->on_sleep = [&] {
        if (machine_->find("db") == nullptr) fake::add_pvh_guest(*machine_, "db").uuid = uuid;
    };
    EXPECT_NE(error_of_freeze().find("guest db was rebooted"), std::string::npos);
    EXPECT_TRUE(guest("db").runs());
    EXPECT_TRUE(guest("web").runs());
}

// What is being created looks like what an earlier try has left, for a moment.
TEST_F(OtherHandsTest, ResumeDestroysNoDomainThatSomebodyIsJustMaking) {
    reboot_warm();
    auto& made = machine_->add_domain("web", warmvm::GuestKind::pvh);
    made.uuid = machine_->preserved.begin()->second.info.uuid;
    made.toolstack_pauses = 1;
    const auto outcomes = resume(host(), {{"web"}, false});
    EXPECT_NE(outcomes.at(0).trouble.value_or("").find("has the same uuid"), std::string::npos);
    EXPECT_EQ(machine_->domains.size(), 1u);
    EXPECT_EQ(machine_->preserved.size(), 3u);
}

}  // namespace
}  // namespace roothammer
