// SPDX-License-Identifier: GPL-2.0-only
// What the freeze does with guests that do not behave, and with plans it must not follow.
#include <algorithm>

#include "base/file.hpp"
#include "base/lock.hpp"
#include "scenario.hpp"

namespace roothammer {
namespace {

using fake::Rebooted;

class Freeze : public Scenario {};

TEST_F(Freeze, WaitsForDom0sServicesBeforeTheFirstGuest) {
    prepare();
    machine_->other_jobs = 5;
    EXPECT_THROW(freeze(host()), Rebooted);
    EXPECT_LT(machine_->other_jobs, 0);
}

TEST_F(Freeze, AGuestThatDoesNotAnswerStopsTheRebootAndNobodyNotices) {
    machine_->find("db")->suspends = fake::Domain::Suspends::never;
    prepare();
    EXPECT_THROW(freeze(host()), warmvm::Error);
    EXPECT_EQ(machine_->what_is_not_as_before(), "");
    EXPECT_EQ(machine_->find("db")->times_cancelled, 0);
    EXPECT_EQ(machine_->nodes["/local/domain/3/control/shutdown"], "");
    for (const auto& [id, domain] : machine_->domains)
        EXPECT_FALSE(std::filesystem::exists(paths_.image(warmvm::DomId(id)))) << id;
    const auto plan = load_plan(paths_.plan());
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->stage, Stage::aborted);
    EXPECT_NE(plan->error.find("db"), std::string::npos);

    machine_->find("db")->suspends = fake::Domain::Suspends::yes;
    EXPECT_NO_THROW(reboot_warm());
}

TEST_F(Freeze, AGuestThatSuspendsTooLateIsWoken) {
    machine_->find("db")->suspends = fake::Domain::Suspends::late;
    prepare();
    EXPECT_THROW(freeze(host()), warmvm::Error);
    EXPECT_EQ(machine_->what_is_not_as_before(), "");
    EXPECT_EQ(machine_->find("db")->times_cancelled, 1);
}

// dom0 ran out of memory, and killed the program that had asked the guest.
TEST_F(Freeze, AGuestWhoseXlWasKilledIsWokenWhenItSuspends) {
    machine_->find("db")->suspends = fake::Domain::Suspends::late;
    machine_->killed_tools = {"xl"};
    prepare();
    EXPECT_THROW(freeze(host()), warmvm::Error);
    EXPECT_EQ(machine_->what_is_not_as_before(), "");
    EXPECT_EQ(machine_->find("db")->times_cancelled, 1);
    EXPECT_NE(load_plan(paths_.plan())->error.find("died"), std::string::npos);
}

// Nor would the service manager wait so long for all of them, one after the other.
TEST_F(Freeze, NoLateGuestStandsStillUntilAnotherHasSuspended) {
    machine_->processor_count = 8;
    for (const char* name : {"web", "mail", "db"}) {
        machine_->find(name)->suspends = fake::Domain::Suspends::late;
        machine_->find(name)->late_by = 100;
    }
    machine_->find("db")->late_by = 3;
    prepare();
    EXPECT_THROW(freeze(host()), warmvm::Error);
    EXPECT_EQ(machine_->what_is_not_as_before(), "");
    for (const char* name : {"web", "mail", "db"}) {
        EXPECT_EQ(machine_->find(name)->times_cancelled, 1) << name;
        EXPECT_LE(machine_->find(name)->stood_still, 1) << name;
    }
}

TEST_F(Freeze, TakesAsManyAtOnceAsThereAreProcessors) {
    for (const unsigned processors : {1u, 2u, 8u}) {
        reset();
        machine_->processor_count = processors;
        reboot_warm();
        EXPECT_EQ(machine_->most_saves, std::min(processors, 3u));
        for (const auto& outcome : resume(host(), {})) EXPECT_EQ(outcome.trouble, std::nullopt);
        EXPECT_EQ(machine_->domains.size(), 3u);
    }
}

// Starting a save takes longer than freezing a guest.
TEST_F(Freeze, NoGuestStandsStillWhileAnothersSaveIsStarted) {
    std::vector<std::size_t> held;
    machine_->on_suspend = [&] { held.push_back(machine_->most_held); };
    reboot_warm();
    EXPECT_EQ(held, (std::vector<std::size_t>{3, 3, 3}));
    EXPECT_EQ(machine_->saves_held, 0u);
}

TEST_F(Freeze, SavesThatAreHeldEndWithAnAbort) {
    machine_->find("web")->suspends = fake::Domain::Suspends::never;
    prepare();
    EXPECT_THROW(freeze(host()), warmvm::Error);
    EXPECT_EQ(machine_->most_held, 3u);
    EXPECT_EQ(machine_->saves_held, 0u);
    EXPECT_EQ(machine_->what_is_not_as_before(), "");
}

TEST_F(Freeze, AGuestThatGoesWhileItsSaveIsHeldIsNotMissed) {
    machine_->on_suspend = [&] {
        if (auto* guest = machine_->find("db")) machine_->destroy(guest->id);
    };
    prepare();
    EXPECT_THROW(freeze(host()), Rebooted);
    EXPECT_EQ(machine_->preserved.size(), 2u);
    EXPECT_EQ(machine_->saves_held, 0u);
}

TEST_F(Freeze, OneThatFailsEndsThoseThatAreUnderWay) {
    for (const char* name : {"web", "mail", "db"}) {
        reset();
        machine_->processor_count = 8;
        machine_->find(name)->suspends = fake::Domain::Suspends::never;
        prepare();
        EXPECT_THROW(freeze(host()), warmvm::Error);
        EXPECT_EQ(machine_->what_is_not_as_before(), "") << name;
        EXPECT_NE(load_plan(paths_.plan())->error.find(name), std::string::npos);
    }
}

TEST_F(Freeze, WithShutdownTheOthersGoOver) {
    options_.on_guest_failure = OnGuestFailure::shutdown;
    machine_->find("mail")->suspends = fake::Domain::Suspends::never;
    prepare();
    EXPECT_THROW(freeze(host()), Rebooted);
    EXPECT_EQ(machine_->find("mail"), nullptr);
    EXPECT_EQ(machine_->preserved.size(), 2u);
}

TEST_F(Freeze, WithShutdownAGuestThatAnswersNothingIsDestroyed) {
    options_.on_guest_failure = OnGuestFailure::shutdown;
    options_.timeout = std::chrono::milliseconds(1500);
    machine_->find("web")->suspends = fake::Domain::Suspends::never;
    prepare();
    EXPECT_THROW(freeze(host()), Rebooted);
    EXPECT_EQ(machine_->find("web"), nullptr);
    EXPECT_EQ(machine_->preserved.size(), 2u);
    EXPECT_EQ(machine_->save_timeout, options_.timeout);
    EXPECT_EQ(machine_->shutdown_timeout, options_.timeout);
}

TEST_F(Freeze, WithShutdownAGuestThatIsNotFitIsNotEvenTried) {
    options_.on_guest_failure = OnGuestFailure::shutdown;
    auto plan = report();
    plan.guests.at(0).fit = false;
    start_warm_reboot(host(), options_, plan);
    EXPECT_THROW(freeze(host()), Rebooted);
    EXPECT_EQ(machine_->find("web"), nullptr);
    const auto asked = [](const auto& line) { return line.find("event=freeze guest=web") == 0; };
    EXPECT_TRUE(std::ranges::none_of(lines_, asked));
}

TEST_F(Freeze, WithShutdownAGuestThatCannotBePreservedIsShutDown) {
    options_.on_guest_failure = OnGuestFailure::shutdown;
    machine_->find("mail")->refusal = {warmvm::Reason::frame_range, 0x20123};
    prepare();
    EXPECT_THROW(freeze(host()), Rebooted);
    EXPECT_EQ(machine_->find("mail"), nullptr);
    EXPECT_EQ(load_plan(paths_.plan())->guests.at(1).stage, GuestStage::shut_down);
    EXPECT_NE(load_plan(paths_.plan())->guests.at(1).note.find("0x20123"), std::string::npos);
}

TEST_F(Freeze, WithShutdownAGuestThatCannotBeDestroyedStopsTheReboot) {
    options_.on_guest_failure = OnGuestFailure::shutdown;
    machine_->find("db")->suspends = fake::Domain::Suspends::never;
    machine_->fail_in = "xl destroy";
    prepare();
    EXPECT_THROW(freeze(host()), warmvm::Error);
    EXPECT_EQ(machine_->domains.size(), 3u);
    EXPECT_EQ(machine_->what_is_not_as_before(), "");
}

TEST_F(Freeze, TheTimeLimitIsTheOperators) {
    options_.timeout = std::chrono::milliseconds(1500);
    machine_->find("db")->suspends = fake::Domain::Suspends::never;
    prepare();
    EXPECT_THROW(freeze(host()), warmvm::Error);
    EXPECT_EQ(machine_->save_timeout, options_.timeout);
    EXPECT_NE(load_plan(paths_.plan())->error.find("did not suspend within 1500 ms"),
              std::string::npos);
    EXPECT_EQ(machine_->what_is_not_as_before(), "");
}

TEST_F(Freeze, AGuestStartedAfterThePlanStopsTheReboot) {
    prepare();
    fake::add_pvh_guest(*machine_, "late");
    EXPECT_THROW(freeze(host()), warmvm::Error);
    EXPECT_EQ(machine_->what_is_not_as_before(), "");
    EXPECT_EQ(machine_->domains.size(), 4u);
}

TEST_F(Freeze, AGuestGoneBeforeItsTurnIsNoObstacle) {
    prepare();
    machine_->destroy(machine_->find("db")->id);
    EXPECT_THROW(freeze(host()), Rebooted);
    EXPECT_EQ(machine_->preserved.size(), 2u);
}

TEST_F(Freeze, FollowsNoPlanOfAnotherBoot) {
    prepare();
    machine_->boot = "boot-2";
    EXPECT_THROW(freeze(host()), warmvm::Error);
    EXPECT_EQ(machine_->preserved.size(), 0u);
    EXPECT_FALSE(machine_->jumped);
}

TEST_F(Freeze, FollowsNoPlanTwice) {
    prepare();
    machine_->find("db")->suspends = fake::Domain::Suspends::never;
    EXPECT_THROW(freeze(host()), warmvm::Error);
    machine_->find("db")->suspends = fake::Domain::Suspends::yes;
    EXPECT_THROW(freeze(host()), warmvm::Error);
    EXPECT_FALSE(machine_->jumped);
}

TEST_F(Freeze, IsRefusedWhileAnotherIsAtWork) {
    prepare();
    const auto lock = take_lock(paths_.work_lock());
    EXPECT_THROW(freeze(host()), warmvm::Error);
    EXPECT_TRUE(machine_->preserved.empty());
}

TEST_F(Freeze, AChangedImageIsFoundBeforeAnyGuestIsFrozen) {
    machine_->verify_refusal = {warmvm::Reason::image_changed, 0};
    EXPECT_THROW(prepare(), warmvm::Error);
    EXPECT_EQ(machine_->what_is_not_as_before(), "");
    EXPECT_FALSE(std::filesystem::exists(paths_.plan()));
}

TEST_F(Freeze, EveryFaultPointBeforeTheJumpIsReached) {
    for (const auto* point :
         {"load-before", "load-after", "load-verified", "plan-written", "freeze-start",
          "freeze-quiet", "freeze-held", "freeze-guest-before", "save-start", "save-before-suspend",
          "save-suspended", "save-preserved", "save-stream-built", "save-stream-written",
          "freeze-guest-saved", "freeze-guest-done", "freeze-all-done", "freeze-armed",
          "freeze-before-reboot"}) {
        reset();
        ::setenv("ROOTHAMMER_FAULT", point, 1);
        warmvm::reset_fault_points();
        std::string message;
        try {
            prepare();
            freeze(host());
        } catch (const warmvm::Error& error) {
            message = error.what();
        }
        ::unsetenv("ROOTHAMMER_FAULT");
        EXPECT_NE(message.find(std::string("injected fault at ") + point), std::string::npos)
            << point << ": " << message;
        EXPECT_EQ(machine_->what_is_not_as_before(), "") << point;
        EXPECT_NO_THROW(reboot_warm()) << point;
    }
}

TEST_F(Freeze, RecoverPutsGuestsBackWithoutAPlanItCanRead) {
    kill_freeze("arm");
    warmvm::replace_file(paths_.plan(), warmvm::as_byte_view("{\"version\": 2}"));
    recover(host(), "test");
    EXPECT_EQ(machine_->what_is_not_as_before(), "");
    EXPECT_NO_THROW(reboot_warm());
}

TEST_F(Freeze, RecoverDoesNothingToAHostThatIsWell) {
    const auto before = memory();
    recover(host(), "test");
    EXPECT_EQ(memory(), before);
    for (const auto& [id, domain] : machine_->domains) EXPECT_EQ(domain.times_cancelled, 0);
}

TEST_F(Freeze, RecoverLeavesAGuestAloneThatItsOwnerPaused) {
    machine_->find("web")->toolstack_pauses = 1;
    recover(host(), "test");
    EXPECT_EQ(machine_->find("web")->toolstack_pauses, 1);
}

}  // namespace
}  // namespace roothammer
