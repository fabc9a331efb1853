// SPDX-License-Identifier: GPL-2.0-only
// A whole warm reboot, and one with a fault or a kill at every call through every port.
#include <algorithm>

#include "roothammer/timeline.hpp"
#include "scenario.hpp"

namespace roothammer {
namespace {

using fake::Killed;
using fake::Rebooted;

class WarmReboot : public Scenario {
  protected:
    // Whatever went wrong, recover() must make it as if nothing had been tried.
    void expect_all_back(const std::string& what) {
        EXPECT_EQ(machine_->what_is_not_as_before(), "") << what;
        for (const auto& [id, domain] : machine_->domains) {
            EXPECT_EQ(domain.times_resumed_elsewhere, 0) << what;
        }
    }
    // Nothing in between: no guest has a domain and a set, no domain is half made.
    void expect_running_or_preserved(const std::string& what) {
        EXPECT_EQ(machine_->domains.size() + machine_->preserved.size(), 3u) << what;
        for (const auto& [id, set] : machine_->preserved) {
            EXPECT_EQ(set.info.state, warmvm::SetState::inherited) << what;
        }
        for (const auto& [id, domain] : machine_->domains) {
            EXPECT_TRUE(domain.runs()) << what << ", " << domain.name;
        }
    }
    // The same again, undisturbed, must work.
    void expect_second_try_works(const std::string& what) {
        ASSERT_NO_THROW(reboot_warm()) << what;
        for (const auto& outcome : resume(host(), {})) {
            EXPECT_EQ(outcome.trouble, std::nullopt) << what << ", " << outcome.name;
        }
        EXPECT_EQ(machine_->domains.size(), 3u) << what;
        EXPECT_EQ(machine_->what_is_not_as_before(), "") << what;
    }
};

TEST_F(WarmReboot, GuestsComeBackFromTheFramesTheyHad) {
    const auto before = memory();
    reboot_warm();
    EXPECT_TRUE(machine_->domains.empty());
    EXPECT_EQ(machine_->preserved.size(), 3u);

    const auto outcomes = resume(host(), {});
    ASSERT_EQ(outcomes.size(), 3u);
    for (const auto& outcome : outcomes) EXPECT_EQ(outcome.trouble, std::nullopt) << outcome.name;
    EXPECT_EQ(machine_->what_is_not_as_before(), "");

    const auto after = memory();
    const auto timeline = load_timeline(paths_.timeline());
    ASSERT_TRUE(timeline);
    for (const auto& guest : timeline->guests) {
        const auto& was = before.at(guest.name);
        const auto& is = after.at(guest.name);
        ASSERT_EQ(was.size(), is.size());
        EXPECT_EQ(guest.adopt_ticks, 2 * guest.frames);
        EXPECT_EQ(guest.commit_ticks, guest.frames);
        std::size_t differ = 0;
        for (const auto& [gfn, frame] : was) {
            EXPECT_EQ(frame.first, is.at(gfn).first) << guest.name << " gfn " << gfn;
            if (frame.second == is.at(gfn).second) continue;
            ++differ;
            const auto named = [gfn = gfn, mfn = frame.first.value()](const auto& written) {
                return written.gfn == gfn && written.mfn == mfn;
            };
            EXPECT_TRUE(std::ranges::any_of(guest.written, named))
                << guest.name << " gfn " << gfn << " was written and is not named";
        }
        EXPECT_GT(differ, 0u) << guest.name;
    }
    for (const auto& [id, domain] : machine_->domains) {
        EXPECT_EQ(domain.times_resumed_elsewhere, 1) << domain.name;
    }
}

TEST_F(WarmReboot, FiveInARow) {
    for (int round = 0; round < 5; ++round) {
        ASSERT_NO_THROW(reboot_warm());
        for (const auto& outcome : resume(host(), {})) EXPECT_EQ(outcome.trouble, std::nullopt);
        ASSERT_EQ(machine_->what_is_not_as_before(), "") << "round " << round;
    }
    EXPECT_EQ(machine_->find("mail")->pinned.size(), 2u);
}

TEST_F(WarmReboot, FaultAtEveryCallBeforeTheJumpLeavesEveryGuestRunning) {
    unsigned faults = 0;
    for (unsigned call = 1;; ++call) {
        reset();
        machine_->fail_at = call;
        bool rebooted = false;
        try {
            prepare();
            freeze(host());
        } catch (const Rebooted&) {
            rebooted = true;
        } catch (const std::exception&) {
            ++faults;
        }
        const auto what = "fault " + std::to_string(call) + " in " + machine_->failed_call;
        if (machine_->failed_call.empty()) {
            EXPECT_TRUE(rebooted);
            break;
        }
        machine_->fail_at = 0;
        if (rebooted) continue;   // a fault that does not matter
        recover(host(), "test");  // as the freeze service's ExecStopPost does
        expect_all_back(what);
        expect_second_try_works(what);
        if (HasFailure()) return;
    }
    EXPECT_GT(faults, 50u);
}

TEST_F(WarmReboot, KillAtEveryCallBeforeTheJumpIsRecoveredFrom) {
    unsigned kills = 0;
    for (unsigned call = 1;; ++call) {
        reset();
        machine_->fail_at = call;
        machine_->kill = true;
        bool rebooted = false;
        try {
            prepare();
            freeze(host());
        } catch (const Rebooted&) {
            rebooted = true;
        } catch (const Killed&) {
            ++kills;
        }
        if (rebooted) break;
        const auto what = "kill " + std::to_string(call) + " in " + machine_->failed_call;
        machine_->restart_program();
        recover(host(), "killed");
        expect_all_back(what);
        expect_second_try_works(what);
        if (HasFailure()) return;
    }
    EXPECT_GT(kills, 50u);
}

TEST_F(WarmReboot, RecoverFromAKilledRecover) {
    for (unsigned call = 1;; ++call) {
        reset();
        prepare();
        machine_->killed_tools = {"save"};
        machine_->fail_at = machine_->calls + 40;
        machine_->kill = true;
        EXPECT_THROW(freeze(host()), Killed);
        machine_->restart_program();
        machine_->killed_tools.clear();

        machine_->fail_at = machine_->calls + call;
        try {
            recover(host(), "first");
            break;
        } catch (const Killed&) {
            machine_->restart_program();
        }
        recover(host(), "second");
        expect_all_back("recover killed at its call " + std::to_string(call));
        if (HasFailure()) return;
    }
}

TEST_F(WarmReboot, FaultAtEveryCallOfAResumeKeepsTheGuestAndARetryWorks) {
    unsigned faults = 0;
    for (unsigned call = 1;; ++call) {
        reset();
        const auto before = memory();
        reboot_warm();
        machine_->calls = 0;
        machine_->fail_at = call;
        std::vector<ResumeOutcome> outcomes;
        bool threw = false;
        try {
            outcomes = resume(host(), {});
        } catch (const std::exception&) {
            threw = true;
        }
        if (machine_->failed_call.empty()) break;
        ++faults;
        const auto what = "fault " + std::to_string(call) + " in " + machine_->failed_call;
        const auto failed = [](const auto& outcome) { return outcome.trouble.has_value(); };
        EXPECT_LE(std::ranges::count_if(outcomes, failed), 1) << what;
        EXPECT_TRUE(threw || outcomes.size() == 3) << what;
        expect_running_or_preserved(what);
        machine_->fail_at = 0;
        for (const auto& outcome : resume(host(), {}))
            EXPECT_EQ(outcome.trouble, std::nullopt) << what;
        EXPECT_EQ(machine_->domains.size(), 3u) << what;
        EXPECT_EQ(machine_->what_is_not_as_before(), "") << what;
        const auto after = memory();
        for (const auto& [name, frames] : before) {
            for (const auto& [gfn, frame] : frames) {
                EXPECT_EQ(frame.first, after.at(name).at(gfn).first) << what;
            }
        }
        if (HasFailure()) return;
    }
    EXPECT_GT(faults, 60u);
}

TEST_F(WarmReboot, EveryFaultPointOfAResumeIsReachedAndLeavesTheGuestPreserved) {
    for (const std::string point :
         {"resume-blob-read", "restore-start", "restore-static-data", "restore-adopted",
          "restore-state-set", "restore-complete", "resume-restored", "resume-unpaused"}) {
        for (const std::string pass : {"1", "2"}) {  // a PVH guest, a PV guest
            reset();
            reboot_warm();
            ::setenv("ROOTHAMMER_FAULT", (point + ":" + pass).c_str(), 1);
            warmvm::reset_fault_points();
            const auto outcomes = resume(host(), {});
            ::unsetenv("ROOTHAMMER_FAULT");
            const auto what = point + " of guest " + pass;
            ASSERT_EQ(outcomes.size(), 3u);
            for (std::size_t i = 0; i < outcomes.size(); ++i) {
                const auto trouble = outcomes[i].trouble.value_or("");
                const bool is_hit = std::to_string(i + 1) == pass;
                EXPECT_EQ(trouble.find("injected fault at " + point) != std::string::npos, is_hit)
                    << what << ": " << trouble;
            }
            EXPECT_EQ(machine_->preserved.size(), 1u) << what;
            expect_running_or_preserved(what);
            for (const auto& outcome : resume(host(), {}))
                EXPECT_EQ(outcome.trouble, std::nullopt) << what;
            EXPECT_EQ(machine_->what_is_not_as_before(), "") << what;
        }
    }
}

// At resume-start nothing has been done for any guest, and nobody else is kept out afterwards.
TEST_F(WarmReboot, AResumeThatFailsAtItsStartLeavesEveryGuestPreserved) {
    reboot_warm();
    ::setenv("ROOTHAMMER_FAULT", "resume-start", 1);
    warmvm::reset_fault_points();
    EXPECT_THROW(resume(host(), {}), warmvm::Error);
    ::unsetenv("ROOTHAMMER_FAULT");
    EXPECT_EQ(machine_->preserved.size(), 3u);
    expect_running_or_preserved("resume-start");
    for (const auto& outcome : resume(host(), {})) EXPECT_EQ(outcome.trouble, std::nullopt);
    EXPECT_EQ(machine_->what_is_not_as_before(), "");
}

TEST_F(WarmReboot, AGuestThatFailsIsTriedAgainAfterTheOthersAsOftenAsAsked) {
    for (const unsigned tries : {1u, 2u}) {
        reset();
        reboot_warm();
        ::setenv("ROOTHAMMER_FAULT", "resume-restored", 1);  // on the first pass: the first guest
        warmvm::reset_fault_points();
        const auto outcomes = resume(host(), {{}, false, tries});
        ::unsetenv("ROOTHAMMER_FAULT");
        ASSERT_EQ(outcomes.size(), 3u);
        EXPECT_EQ(outcomes[0].trouble.has_value(), tries != 2);
        EXPECT_EQ(outcomes[1].trouble, std::nullopt);
        EXPECT_EQ(outcomes[2].trouble, std::nullopt);
        EXPECT_EQ(machine_->preserved.size(), tries == 2 ? 0u : 1u);
        EXPECT_EQ(machine_->what_is_not_as_before().empty(), tries == 2);
    }
    // One that never can is given up, and stays preserved.
    reset();
    reboot_warm();
    machine_->killed_tools = {"restore early"};
    for (const auto& outcome : resume(host(), {{}, false, 3}))
        EXPECT_NE(outcome.trouble, std::nullopt);
    EXPECT_EQ(machine_->preserved.size(), 3u);
    expect_running_or_preserved("three tries");
}

TEST_F(WarmReboot, AFaultAfterTheCommitLeavesTheGuestRunning) {
    reboot_warm();
    ::setenv("ROOTHAMMER_FAULT", "resume-committed", 1);
    warmvm::reset_fault_points();
    resume(host(), {{"web"}, false});
    ::unsetenv("ROOTHAMMER_FAULT");
    ASSERT_NE(machine_->find("web"), nullptr);
    EXPECT_TRUE(machine_->find("web")->runs());
    EXPECT_EQ(machine_->preserved.size(), 2u);
}

TEST_F(WarmReboot, AnXlThatIsKilledInARestoreLeavesTheGuestPreserved) {
    for (const auto* when : {"restore early", "restore late"}) {
        reset();
        reboot_warm();
        machine_->killed_tools = {when};
        for (const auto& outcome : resume(host(), {}))
            EXPECT_NE(outcome.trouble, std::nullopt) << when;
        EXPECT_EQ(machine_->preserved.size(), 3u) << when;
        expect_running_or_preserved(when);
        machine_->killed_tools.clear();
        for (const auto& outcome : resume(host(), {}))
            EXPECT_EQ(outcome.trouble, std::nullopt) << when;
        EXPECT_EQ(machine_->what_is_not_as_before(), "") << when;
    }
}

TEST_F(WarmReboot, AHalfMadeDomainThatCannotBeDestroyedIsSaidAndTheNextTryDestroysIt) {
    reboot_warm();
    machine_->killed_tools = {"restore late"};
    machine_->fail_in = "xl destroy";
    const auto outcomes = resume(host(), {{"web"}, false});
    machine_->killed_tools.clear();
    EXPECT_TRUE(outcomes.at(0).trouble.value_or("").starts_with("xl restore: killed"));
    EXPECT_EQ(machine_->preserved.at(1).info.state, warmvm::SetState::adopted);
    const auto is_said = [](const auto& line) {
        return line.find("guest web stays half resumed") != std::string::npos;
    };
    EXPECT_TRUE(std::ranges::any_of(lines_, is_said));
    for (const auto& outcome : resume(host(), {})) EXPECT_EQ(outcome.trouble, std::nullopt);
    EXPECT_EQ(machine_->what_is_not_as_before(), "");
}

TEST_F(WarmReboot, KillAtEveryCallOfAResumeKeepsTheGuestAndARetryWorks) {
    for (unsigned call = 1;; ++call) {
        reset();
        reboot_warm();
        machine_->calls = 0;
        machine_->fail_at = call;
        machine_->kill = true;
        machine_->killed_tools = {"restore"};
        try {
            resume(host(), {});
            break;
        } catch (const Killed&) {
            machine_->restart_program();
            machine_->killed_tools.clear();
        }
        const auto what = "kill " + std::to_string(call) + " in " + machine_->failed_call;
        for (const auto& outcome : resume(host(), {}))
            EXPECT_EQ(outcome.trouble, std::nullopt) << what;
        EXPECT_EQ(machine_->domains.size(), 3u) << what;
        EXPECT_EQ(machine_->what_is_not_as_before(), "") << what;
        if (HasFailure()) return;
    }
}

TEST_F(WarmReboot, AGuestThatIsNotResumedIsCarriedAlong) {
    reboot_warm();
    resume(host(), {{"web", "db"}, false});
    EXPECT_EQ(machine_->preserved.size(), 1u);
    reboot_warm();
    EXPECT_EQ(machine_->preserved.size(), 3u);
    for (const auto& outcome : resume(host(), {}))
        EXPECT_EQ(outcome.trouble, std::nullopt) << outcome.name;
    EXPECT_EQ(machine_->find("mail")->frames.size(), fake::PvLayout::frames - 1);
}

}  // namespace
}  // namespace roothammer
