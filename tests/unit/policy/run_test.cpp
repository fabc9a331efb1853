// SPDX-License-Identifier: GPL-2.0-only
// Whole runs on a host that ages: what they decide, and that nothing that goes wrong, at whatever
// step, ends in a reboot that nobody wanted or in a second one.
#include "policy/run.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "aging_host.hpp"
#include "base/lock.hpp"
#include "policy/explain.hpp"
#include "temporary_folder.hpp"

namespace roothammer::policy {
namespace {

using fake::AgingHost;
using fake::PolicyKilled;
using fake::WarmRebooted;
using namespace std::chrono_literals;
using days = std::chrono::days;

constexpr double mib = 1024.0 * 1024;
constexpr double per_day = 1.0 / 86400;

class PolicyRun : public ::testing::Test {
  protected:
    PolicyRun() {
        reset_host();
        config_.windows = {parse_window("always")};
    }

    void reset_host() {
        host_ = std::make_unique<AgingHost>();
        host_->lock = root_ / "policy.lock";
    }
    // Old enough for a reboot by time, and watched.
    void grow_old() {
        host_->pass(days(30));
        EXPECT_EQ(host_->run(config_).decision, Decision::doubt);
        host_->pass(15min);
    }
    Outcome run() { return host_->run(config_); }
    // Due, and ends so instead, with these words, and nothing was done.
    void expect_no_reboot(Decision decision, const std::string& words) {
        const auto outcome = run();
        EXPECT_EQ(outcome.decision, decision) << outcome.line;
        EXPECT_NE(outcome.line.find(words), std::string::npos) << outcome.line;
        EXPECT_EQ(outcome.line.find('\n'), std::string::npos);
        EXPECT_TRUE(outcome.assessment.is_due);
        EXPECT_EQ(host_->reboots, 0);
    }

    TemporaryFolder temporary_;
    const std::filesystem::path& root_ = temporary_.path();
    std::unique_ptr<AgingHost> host_;
    Config config_;
};

TEST_F(PolicyRun, AYoungHostIsLeftAlone) {
    EXPECT_EQ(host_->watch(days(20), 2h, config_).decision, Decision::not_due);
    EXPECT_EQ(host_->preflights, 0);
}

TEST_F(PolicyRun, AnOldHostIsRebootedOnceAndThenLeftAlone) {
    grow_old();
    EXPECT_THROW(run(), WarmRebooted);
    EXPECT_EQ(host_->preflights, 1);
    EXPECT_NE(host_->tries_at_reboot.find("\"stage\":\"acting\""), std::string::npos)
        << "recorded before it is done";
    EXPECT_EQ(host_->watch(days(20), 2h, config_).decision, Decision::not_due);
    EXPECT_EQ(parse_tries(host_->files["tries"]), Tries()) << "it is known to have worked";
    EXPECT_EQ(host_->reboots, 1);
}

// xenstored leaks 20 MiB a day of the 502 it may have: due with a week left.
TEST_F(PolicyRun, ALeakIsActedOnBeforeItEnds) {
    host_->aging[Resource::xenstored].leak = 20 * mib * per_day;
    config_.interval = days(365);
    EXPECT_THROW(host_->watch(days(60), 2h, config_), WarmRebooted);
    EXPECT_EQ(host_->reboots, 1);
    const auto at = (host_->moment.wall - 20000 * 86400) / 86400;
    EXPECT_GE(at, 16);
    EXPECT_LE(at, 19);
}

TEST_F(PolicyRun, EachResourceThatLeaks) {
    for (const auto resource :
         {Resource::xen_heap, Resource::xenstored, Resource::dom0_memory, Resource::dom0_swap}) {
        reset_host();
        host_->aging[resource].leak = 300 * mib * per_day;
        config_.decide_by = DecideBy::trend;
        EXPECT_THROW(host_->watch(days(20), 1h, config_), WarmRebooted)
            << resource_names.at(static_cast<std::size_t>(resource));
    }
}

TEST_F(PolicyRun, ABigFullHostThatDoesNotLeakIsNotDue) {
    host_->xen_heap_size = 201 * mib;  // guests have nearly all
    config_.decide_by = DecideBy::trend;
    EXPECT_EQ(host_->watch(days(20), 2h, config_).decision, Decision::not_due);
}

TEST_F(PolicyRun, ASlowLeakThatOutlivesTheHorizonIsNotDue) {
    host_->aging[Resource::xenstored].leak = 1 * mib * per_day;
    config_.decide_by = DecideBy::trend;
    const auto outcome = host_->watch(days(10), 2h, config_);
    EXPECT_EQ(outcome.decision, Decision::not_due);
    const auto& trend = outcome.assessment.resources.at(1);
    EXPECT_EQ(trend.trend.kind, TrendKind::rising);
    EXPECT_NEAR(*trend.expected / 86400, 491, 20);
}

TEST_F(PolicyRun, HowItIsDecided) {
    const auto due = [&](DecideBy by, bool old, bool leaks) {
        reset_host();
        config_.decide_by = by;
        config_.interval = old ? days(2) : days(200);
        config_.windows.clear();  // to see that it is due without a reboot
        host_->aging[Resource::xenstored].leak = leaks ? 100 * mib * per_day : 0;
        Outcome outcome;
        for (int i = 0; i < 48; ++i) {
            host_->pass(1h + 2min);
            outcome = run();
        }
        return outcome.assessment.is_due;
    };
    for (const bool old : {false, true}) {
        for (const bool leaks : {false, true}) {
            EXPECT_EQ(due(DecideBy::time, old, leaks), old);
            EXPECT_EQ(due(DecideBy::trend, old, leaks), leaks);
            EXPECT_EQ(due(DecideBy::both, old, leaks), old && leaks);
            EXPECT_EQ(due(DecideBy::either, old, leaks), old || leaks);
        }
    }
}

TEST_F(PolicyRun, ARebootStartsANewSeries) {
    config_.decide_by = DecideBy::trend;
    // Each boot begins 100 MiB higher: together a trend, each for itself none.
    for (int boot = 0; boot < 4; ++boot) {
        EXPECT_EQ(host_->watch(days(2), 1h, config_).decision, Decision::not_due);
        host_->aging[Resource::dom0_memory].after_boot += 300 * mib;
        host_->boot_again(true);
    }
}

TEST_F(PolicyRun, AHostThatFillsUpDoesNotAge) {
    config_.decide_by = DecideBy::trend;
    const auto watch = [&](bool says_how_many) {
        reset_host();
        if (!says_how_many) host_->unreadable = {Value::guests};
        for (int i = 0; i < 100; ++i) {
            host_->guests += i % 10 == 0;
            host_->aging[Resource::xen_heap].used += i % 10 == 0 ? 300 * mib : 0;
            host_->pass(1h);
            (void)run();
        }
    };
    EXPECT_NO_THROW(watch(true));
    EXPECT_THROW(watch(false), WarmRebooted) << "that it is guests cannot be known then";
}

TEST_F(PolicyRun, MissingValuesAreLeftOut) {
    config_.decide_by = DecideBy::trend;
    host_->aging[Resource::xenstored].leak = 300 * mib * per_day;
    const std::set<Value> sometimes{Value::xenstored, Value::xen_own, Value::swap_used,
                                    Value::log_next};
    const auto watch = [&] {
        for (int i = 0; i < 200; ++i) {
            host_->unreadable = i % 3 == 1 ? sometimes : std::set<Value>();
            host_->pass(30min);
            (void)run();
        }
    };
    EXPECT_THROW(watch(), WarmRebooted);
}

TEST_F(PolicyRun, WhatCannotBeReadIsSaidAndNotDue) {
    config_.decide_by = DecideBy::trend;
    host_->aging[Resource::xenstored].leak = 300 * mib * per_day;
    host_->unreadable = {Value::xenstored};
    const auto outcome = host_->watch(days(5), 1h, config_);
    EXPECT_EQ(outcome.decision, Decision::not_due);
    EXPECT_EQ(outcome.notes, std::vector<std::string>{"xenstored: cannot be read"});
}

TEST_F(PolicyRun, NothingReadableIsAFailure) {
    for (std::size_t i = 0; i < value_names.size(); ++i) {
        host_->unreadable.insert(static_cast<Value>(i));
    }
    EXPECT_EQ(run().decision, Decision::failed);
}

TEST_F(PolicyRun, WithoutXenTheHostIsNotJudged) {
    grow_old();
    const int writes = host_->writes;
    host_->no_xen = "Xen cannot be reached";
    const auto outcome = run();
    EXPECT_EQ(outcome.decision, Decision::failed);
    EXPECT_EQ(outcome.line, "Xen cannot be reached");
    EXPECT_EQ(host_->writes, writes);
}

TEST_F(PolicyRun, AFailureBeforeTheJudgementHasNoFigures) {
    for (unsigned call = 1; call <= 5; ++call) {
        host_->fail_at = host_->calls + call;
        const auto outcome = run();
        EXPECT_EQ(outcome.decision, Decision::failed) << call;
        EXPECT_EQ(explain(outcome, config_), "failed: " + outcome.line + ".\n") << call;
        EXPECT_FALSE(nlohmann::json::parse(to_json(outcome, config_)).contains("resources"));
    }
}

TEST_F(PolicyRun, OutOfMemoryIsDueAtOnceAndCountedOnce) {
    config_.decide_by = DecideBy::trend;
    config_.windows.clear();
    host_->pass(days(2));
    host_->log = {3, 4, 6};
    EXPECT_EQ(run().decision, Decision::not_due);
    host_->pass(15min);
    host_->log.push_back(-1);
    for (int i = 0; i < 3; ++i) {
        const auto outcome = run();
        EXPECT_EQ(outcome.decision, Decision::waiting);
        EXPECT_EQ(outcome.now->values[Value::out_of_memory], 1u);
        EXPECT_EQ(outcome.now->values[Value::log_errors], 2u);
        EXPECT_NE(outcome.line.find("out of memory"), std::string::npos);
        host_->pass(15min);
    }
    host_->boot_again(true);
    EXPECT_EQ(run().now->values[Value::out_of_memory], 0u);
}

TEST_F(PolicyRun, TheHistoryIsBounded) {
    config_.history_samples = 50;
    (void)host_->watch(days(10), 2h, config_);
    EXPECT_EQ(std::ranges::count(host_->files["history"], '\n'), 50);
}

// --- What must not end in a reboot

TEST_F(PolicyRun, NoReservedRange) {
    grow_old();
    host_->preflight_says = {CommandResult::Kind::host_refused,
                             "range: no range of memory is reserved (boot with liveupdate=)"};
    expect_no_reboot(Decision::host_refused, "no range of memory");
}

TEST_F(PolicyRun, AGuestThatCannotBePreserved) {
    grow_old();
    host_->preflight_says = {CommandResult::Kind::guest_refused,
                             "guest web: a device is passed through"};
    expect_no_reboot(Decision::guest_refused, "guest web");
    // A refusal costs nobody anything: no back-off, the next run asks again.
    host_->preflight_says = {CommandResult::Kind::ok, ""};
    EXPECT_THROW(run(), WarmRebooted);
}

// Between the two preflights something has come up.
TEST_F(PolicyRun, ARefusalAfterThePreflightIsNoTry) {
    grow_old();
    host_->reboot_does = AgingHost::Reboot::is_refused;
    for (int i = 0; i < 5; ++i) {
        const auto outcome = run();
        EXPECT_EQ(outcome.decision, Decision::host_refused);
        EXPECT_NE(outcome.line.find("a resume is under way"), std::string::npos) << outcome.line;
        EXPECT_NE(host_->tries_at_reboot, "") << "a kill there would go unnoticed";
    }
    host_->reboot_does = AgingHost::Reboot::works;
    EXPECT_THROW(run(), WarmRebooted);
}

TEST_F(PolicyRun, APreflightThatFails) {
    grow_old();
    host_->preflight_says = {CommandResult::Kind::failed, "xl-warm-reboot did not end in time"};
    expect_no_reboot(Decision::failed, "did not end in time");
}

TEST_F(PolicyRun, NoWindow) {
    grow_old();
    config_.windows.clear();
    expect_no_reboot(Decision::waiting, "no maintenance window");
    EXPECT_EQ(host_->preflights, 0);
}

TEST_F(PolicyRun, OutsideTheWindow) {
    config_.windows = {parse_window("tue 02:00-03:00")};
    grow_old();
    expect_no_reboot(Decision::waiting, "the next opens on tue minute 120");
    // From Sunday, a quarter past midnight, to Tuesday, five past three.
    host_->pass(2 * 24h + 2h + 50min);
    expect_no_reboot(Decision::waiting, "outside the maintenance window");
    host_->pass(7 * 24h - 1h);
    EXPECT_THROW(run(), WarmRebooted);
}

TEST_F(PolicyRun, AWindowAboutToClose) {
    config_.windows = {parse_window("sun 00:00-00:20")};
    grow_old();
    ASSERT_EQ(host_->local(host_->moment.wall).weekday, 0);
    ASSERT_EQ(host_->local(host_->moment.wall).minute, 15);
    host_->pass(7 * 24h - 1min);
    // 43 s by the model and five minutes for dom0's services are just within the six left.
    host_->last_reboot = LastReboot{3, 100};
    expect_no_reboot(Decision::waiting, "the maintenance window closes in 6 minutes");
    host_->last_reboot.reset();
    EXPECT_THROW(run(), WarmRebooted);
}

TEST_F(PolicyRun, TheWindowClosesDuringThePreflight) {
    config_.windows = {parse_window("sun 00:00-01:00")};
    grow_old();
    host_->during_preflight = [&] { host_->pass(50min); };
    expect_no_reboot(Decision::waiting, "outside the maintenance window");
}

TEST_F(PolicyRun, ARebootThatWouldCostTooMuch) {
    grow_old();
    config_.max_downtime = 30s;
    expect_no_reboot(Decision::waiting, "would cost 43 s");
}

TEST_F(PolicyRun, TheClockStepsForward) {
    grow_old();
    host_->set_clock(3600);
    expect_no_reboot(Decision::doubt, "the clock was set");
    host_->pass(1h);
    expect_no_reboot(Decision::doubt, "the clock was set");
    host_->pass(1h + 1s);
    EXPECT_THROW(run(), WarmRebooted) << "it has run evenly for two hours";
}

TEST_F(PolicyRun, TheClockStepsBack) {
    grow_old();
    host_->set_clock(-20);
    expect_no_reboot(Decision::doubt, "the clock was set");
}

TEST_F(PolicyRun, TheClockStepsDuringThePreflight) {
    grow_old();
    host_->during_preflight = [&] { host_->set_clock(7200); };
    expect_no_reboot(Decision::doubt, "during the preflight");
}

TEST_F(PolicyRun, TheClockGoesBackOverAReboot) {
    (void)run();
    host_->boot_again(true);
    host_->set_clock(-days(1) / 1s);
    host_->pass(10min);
    config_.interval = 10min;
    config_.min_uptime = 1min;
    expect_no_reboot(Decision::doubt, "the clock was set");
    host_->pass(15min);
    expect_no_reboot(Decision::doubt, "the clock was set");
    host_->pass(2h);
    EXPECT_THROW(run(), WarmRebooted);
}

TEST_F(PolicyRun, ASlewedClockIsNoStep) {
    for (int i = 0; i < 100; ++i) {
        host_->pass(15min);
        if (i % 3 == 0) host_->set_clock(1);
        EXPECT_FALSE(run().now->clock_stepped) << i;
    }
}

TEST_F(PolicyRun, TwoAtOnce) {
    grow_old();
    const auto other = warmvm::Lock::take(host_->lock, "another");
    const auto outcome = run();
    EXPECT_EQ(outcome.decision, Decision::host_refused);
    EXPECT_NE(outcome.line.find("another run is at work"), std::string::npos);
    EXPECT_EQ(host_->reboots, 0);
}

TEST_F(PolicyRun, ASecondRunStartedByThePreflightItself) {
    grow_old();
    Outcome second;
    host_->during_preflight = [&] { second = run(); };
    EXPECT_THROW(run(), WarmRebooted);
    EXPECT_EQ(second.decision, Decision::host_refused);
    EXPECT_EQ(host_->reboots, 1);
}

TEST_F(PolicyRun, TooSoonAfterAReboot) {
    config_.interval = 1h;  // always due
    config_.retry_after = 1min;
    config_.history_samples = 50;
    host_->pass(2 * 24h);
    (void)run();
    for (int i = 0; i < 5; ++i) {
        const auto reboots = host_->reboots;
        EXPECT_THROW(
            {
                for (int step = 0; step < 100; ++step) {
                    host_->pass(30min);
                    (void)run();
                }
            },
            WarmRebooted);
        EXPECT_EQ(host_->reboots, reboots + 1);
    }
    // Five reboots after the first day or so: none sooner than a day after the one before.
    EXPECT_GE(host_->moment.wall, 20000LL * 86400 + 4 * 86400 + 2 * 86400);
}

TEST_F(PolicyRun, DryRunChangesNothing) {
    host_->pass(days(30));
    (void)run();
    host_->pass(15min);
    const auto files = host_->files;
    const auto outcome = host_->run(config_, true);
    EXPECT_EQ(outcome.decision, Decision::would_reboot) << outcome.line;
    EXPECT_EQ(host_->files, files);
    EXPECT_EQ(host_->reboots, 0);
    EXPECT_EQ(host_->preflights, 1);
}

// --- Tries that fail

TEST_F(PolicyRun, AFailedTryIsNotRepeatedAtOnceAndNotForEver) {
    host_->reboot_does = AgingHost::Reboot::called_off;
    grow_old();
    std::vector<std::int64_t> tries;
    config_.history_samples = 50;
    for (int i = 0; i < 24 * 10; ++i) {
        const auto before = host_->reboots;
        const auto outcome = run();
        if (host_->reboots > before) {
            EXPECT_EQ(outcome.decision, Decision::failed);
            EXPECT_NE(outcome.line.find("did not suspend"), std::string::npos);
            tries.push_back(host_->moment.wall);
        }
        host_->pass(1h);
    }
    ASSERT_EQ(tries.size(), 3u);
    EXPECT_EQ(tries[1] - tries[0], 6 * 3600);
    EXPECT_EQ(tries[2] - tries[1], 12 * 3600);
    const auto outcome = run();
    EXPECT_EQ(outcome.decision, Decision::doubt);
    EXPECT_NE(outcome.line.find("3 failed tries (guest web did not suspend)"), std::string::npos);
    EXPECT_NE(outcome.line.find("--reset"), std::string::npos);

    reset(host_->ports());
    host_->reboot_does = AgingHost::Reboot::works;
    EXPECT_THROW(run(), WarmRebooted);
}

TEST_F(PolicyRun, ATryThatEndsThisProgramCounts) {
    host_->reboot_does = AgingHost::Reboot::kills_us;
    grow_old();
    EXPECT_THROW(run(), PolicyKilled);
    host_->pass(15min);
    const auto outcome = run();
    EXPECT_EQ(outcome.decision, Decision::waiting);
    EXPECT_NE(outcome.line.find("1 failed try"), std::string::npos) << outcome.line;
    EXPECT_EQ(host_->reboots, 1);
}

TEST_F(PolicyRun, AHostThatCameBackColdIsNotTriedAgainSoon) {
    host_->reboot_does = AgingHost::Reboot::ends_cold;
    config_.interval = 1h;
    config_.min_uptime = 1min;
    host_->pass(2h);
    (void)run();
    host_->pass(15min);
    EXPECT_THROW(run(), WarmRebooted);
    host_->pass(2h);
    EXPECT_EQ(run().decision, Decision::doubt);
    host_->pass(3h);
    auto outcome = run();
    EXPECT_EQ(outcome.decision, Decision::waiting);
    EXPECT_NE(outcome.line.find("came back by a cold boot"), std::string::npos) << outcome.line;
    host_->boot_again(false);  // the operator's: the pause goes on
    host_->pass(2h);
    (void)run();
    host_->pass(15min);
    EXPECT_EQ(run().decision, Decision::waiting);
    EXPECT_EQ(host_->reboots, 1);
}

TEST_F(PolicyRun, ADamagedRecordOfTriesCountsAsAFailedTry) {
    for (const std::string damage : {"", "x", "1 0123456789abcdef {}\n", "half"}) {
        reset_host();
        grow_old();
        const auto good = to_text(Tries{Tries::Stage::failed, 2, host_->moment, "it did not work"});
        host_->files["tries"] = damage == "half" ? good.substr(0, good.size() / 2) : damage;
        const auto outcome = run();
        EXPECT_EQ(outcome.decision, Decision::waiting) << outcome.line;
        EXPECT_EQ(outcome.notes.size(), 1u);
        EXPECT_TRUE(host_->files.contains("tries.rejected"));
        host_->pass(6h);
        EXPECT_THROW(run(), WarmRebooted) << "after the pause it goes on";
    }
}

TEST_F(PolicyRun, ADamagedHistoryIsSetAsideAndTheRestUsed) {
    for (int i = 0; i < 20; ++i) {
        host_->pass(1h);
        (void)run();
    }
    auto& file = host_->files["history"];
    file[file.size() / 2] ^= 1;
    file += "garbage";
    host_->pass(1h);
    const auto outcome = run();
    EXPECT_EQ(outcome.decision, Decision::not_due);
    EXPECT_EQ(outcome.assessment.samples, 20u);
    ASSERT_EQ(outcome.notes.size(), 1u);
    EXPECT_NE(outcome.notes[0].find("2 of the history's lines set aside"), std::string::npos);
    EXPECT_NE(host_->files["history.rejected"].find("garbage"), std::string::npos);
    host_->pass(1h);
    EXPECT_TRUE(run().notes.empty()) << "said once";
}

TEST_F(PolicyRun, TheWholeHistoryIsGarbage) {
    host_->files["history"] = std::string(5000, '\xff') + "\n\n\n{}";
    EXPECT_EQ(run().decision, Decision::not_due);
    EXPECT_EQ(std::ranges::count(host_->files["history"], '\n'), 1);
}

// --- A fault at every step

// Every call through a port fails, or kills the program, before or after it has had its effect: the
// run ends without a reboot or has recorded it, and what follows is never a second one too soon.
TEST_F(PolicyRun, AFaultAtEveryStep) {
    for (const bool kill : {false, true}) {
        for (const bool after : {false, true}) {
            for (unsigned at = 1;; ++at) {
                reset_host();
                grow_old();
                host_->calls = 0;
                host_->fail_at = at;
                host_->after_effect = after;
                host_->kill = kill;
                bool killed = false;
                bool rebooted = false;
                Outcome outcome;
                try {
                    outcome = run();
                } catch (const WarmRebooted&) {
                    rebooted = true;
                } catch (const PolicyKilled&) {
                    killed = true;
                }
                const auto what = "step " + std::to_string(at) + (kill ? " kill" : " fail") +
                                  (after ? " after" : " before");
                if (host_->calls < at) {
                    EXPECT_TRUE(rebooted) << "nothing was disturbed";
                    EXPECT_GE(at, 8u) << "there are more steps than that";
                    break;
                }
                if (!killed && !rebooted) {
                    EXPECT_EQ(outcome.decision, Decision::failed) << what << outcome.line;
                }
                if (host_->reboots > 0) {
                    EXPECT_NE(host_->tries_at_reboot.find("acting"), std::string::npos) << what;
                }
                host_->fail_at = 0;
                // Whatever it was, the host goes on being looked after.
                const auto reboots = host_->reboots;
                bool works = reboots > 0;
                for (int step = 0; step < 4 * 8 && !works; ++step) {
                    host_->pass(15min);
                    try {
                        (void)run();
                    } catch (const WarmRebooted&) {
                        works = true;
                    }
                }
                EXPECT_TRUE(works) << what;
                EXPECT_EQ(host_->reboots, 1) << what;
                EXPECT_EQ(run().decision, Decision::not_due) << what;
            }
        }
    }
}

// --- What it says

TEST_F(PolicyRun, ExplainsInOneParagraph) {
    host_->aging[Resource::xenstored].leak = 100 * mib * per_day;
    host_->last_reboot = LastReboot{3, 2.5};
    config_.windows.clear();
    Outcome outcome;
    for (int i = 0; i < 30; ++i) {
        host_->pass(1h);
        outcome = run();
    }
    const auto text = explain(outcome, config_);
    EXPECT_EQ(std::ranges::count(text, '\n'), 1);
    for (const auto* words :
         {"waiting: xenstored's memory may run out in ", "no maintenance window is configured",
          "xenstored's memory grows by 100 MiB a day", "Xen's heap shows no trend",
          "With 3 guests a warm reboot would cost each 43 s, a cold one 106 s",
          "the paper's numbers", "cost 2.5 s with 3 guests (measured)", "decided by either"}) {
        EXPECT_NE(text.find(words), std::string::npos) << words << "\nin: " << text;
    }
}

TEST_F(PolicyRun, JsonSaysTheSame) {
    grow_old();
    config_.windows.clear();
    config_.model.resume.origin = Origin::measured;
    const auto outcome = run();
    const auto json = nlohmann::json::parse(to_json(outcome, config_));
    EXPECT_EQ(json["decision"], "waiting");
    EXPECT_EQ(json["status"], 5);
    EXPECT_EQ(json["line"], outcome.line);
    EXPECT_EQ(json["due"]["by_time"], true);
    EXPECT_EQ(json["due"]["by_trend"], false);
    EXPECT_EQ(json["resources"].size(), 4u);
    EXPECT_EQ(json["resources"][0]["trend"], "too-few-samples");
    EXPECT_EQ(json["cost"]["resume"]["origin"], "measured");
    EXPECT_EQ(json["cost"]["reset_hw"]["origin"], "paper");
    EXPECT_NEAR(json["cost"]["saved_seconds"].get<double>(), outcome.cost.saved, 1e-9);
}

}  // namespace
}  // namespace roothammer::policy
