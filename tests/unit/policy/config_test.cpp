// SPDX-License-Identifier: GPL-2.0-only
#include "policy/config.hpp"

#include <gtest/gtest.h>

#include "base/file.hpp"

namespace roothammer::policy {
namespace {

using namespace std::chrono_literals;

Config parse(std::string_view text) {
    return parse_config(text, "c");
}

// The message must begin with file and line and say the words.
void expect_wrong(std::string_view text, const std::string& where, const std::string& words) {
    try {
        (void)parse(text);
        FAIL() << "accepted: " << text;
    } catch (const ConfigError& error) {
        const std::string what = error.what();
        EXPECT_EQ(what.rfind(where + ": ", 0), 0u) << what;
        EXPECT_NE(what.find(words), std::string::npos) << what;
        EXPECT_EQ(what.find("Invalid argument"), std::string::npos) << what;
    }
}

TEST(PolicyConfig, NothingIsTheDefaults) {
    const auto config = parse("");
    EXPECT_EQ(config.decide_by, DecideBy::either);
    EXPECT_EQ(config.interval, std::chrono::days(28));
    EXPECT_TRUE(config.windows.empty()) << "without a window nothing is ever done";
}

TEST(PolicyConfig, EverySetting) {
    const auto config = parse(
        "# a comment\n\n decide-by = both\ninterval=2w\nhorizon = 36h\nsignificance = 0.01\n"
        "min-samples = 30\nmin-span = 90m\nhistory-samples = 400\nxen-reserve = 1G\n"
        "dom0-reserve-percent = 12.5\nxenstored-limit = 300M\nout-of-memory-lines = 4\n"
        "window = sun 02:00-04:00\nwindow = daily 23:00-01:00\r\nmin-uptime = 2h\n"
        "retry-after = 10m\nmax-tries = 5\nclock-settle = 45s\nmax-downtime = 2m\n"
        "reboot-vmm = -0.1 20 measured\nresume = 0.2 1 assumed\nreboot-os = 3 10 measured\n"
        "reset-hw = 60 measured\nalpha = 0.25");
    EXPECT_EQ(config.decide_by, DecideBy::both);
    EXPECT_EQ(config.interval, std::chrono::days(14));
    EXPECT_EQ(config.horizon, 36h);
    EXPECT_EQ(config.significance, 0.01);
    EXPECT_EQ(config.min_samples, 30u);
    EXPECT_EQ(config.min_span, 90min);
    EXPECT_EQ(config.history_samples, 400u);
    EXPECT_EQ(config.xen_reserve, 1u << 30);
    EXPECT_EQ(config.dom0_reserve_percent, 12.5);
    EXPECT_EQ(config.xenstored_limit, 300u << 20);
    EXPECT_EQ(config.out_of_memory_lines, 4u);
    EXPECT_EQ(config.windows.size(), 2u);
    EXPECT_EQ(config.min_uptime, 2h);
    EXPECT_EQ(config.retry_after, 10min);
    EXPECT_EQ(config.max_tries, 5u);
    EXPECT_EQ(config.clock_settle, 45s);
    EXPECT_EQ(config.max_downtime, 2min);
    EXPECT_EQ(config.model.reboot_vmm.slope, -0.1);
    EXPECT_EQ(config.model.reboot_vmm.constant, 20);
    EXPECT_EQ(config.model.reboot_vmm.origin, Origin::measured);
    EXPECT_EQ(config.model.resume.origin, Origin::assumed);
    EXPECT_EQ(config.model.reset_hw.constant, 60);
    EXPECT_EQ(config.model.alpha, 0.25);
}

TEST(PolicyConfig, ErrorsSayWhere) {
    expect_wrong("interval = 1d\n\nintervall = 2d\n", "c:3", "intervall");
    expect_wrong("interval", "c:1", "NAME = VALUE");
    expect_wrong("interval =\n", "c:1", "no value");
    expect_wrong("interval = 1d\ninterval = 2d", "c:2", "line 1");
    expect_wrong("# x\nwindow = sun 02:00", "c:2", "DAYS HH:MM-HH:MM");
    expect_wrong("min-samples = 100\nhistory-samples = 50", "c:2", "min-samples is more");
}

TEST(PolicyConfig, WrongValues) {
    for (const auto* line : {"decide-by = mood",
                             "interval = 0s",
                             "interval = 5",
                             "interval = 5y",
                             "interval = -1d",
                             "interval = 99999999999999999999d",
                             "interval = 40000d",
                             "horizon = soon",
                             "significance = 0",
                             "significance = 0.6",
                             "significance = nan",
                             "significance = 1e-3",
                             "min-samples = 19",
                             "min-samples = 4033",
                             "min-samples = 24.5",
                             "xen-reserve = 1T",
                             "xen-reserve = 64",
                             "xen-reserve = -1M",
                             "xen-reserve = 9999999999G",
                             "dom0-reserve-percent = 91",
                             "dom0-reserve-percent = inf",
                             "out-of-memory-lines = many",
                             "min-uptime = 59s",
                             "retry-after = 10s",
                             "max-tries = 0",
                             "max-tries = 11",
                             "reboot-vmm = 1 2",
                             "reboot-vmm = 1 2 guessed",
                             "reboot-vmm = -99 -50 measured",
                             "reset-hw = -1 measured",
                             "reset-hw = 1 2 measured",
                             "reset-hw = fast measured",
                             "alpha = 1.1",
                             "window = never"}) {
        expect_wrong(line, "c:1", std::string(line).substr(0, std::string(line).find(' ')));
    }
}

TEST(PolicyConfig, WhatIsOutOfRangeIsToldTheRange) {
    for (const auto& [line, range] : {std::pair("significance = 0.6", "0.000001 to 0.5"),
                                      {"min-samples = 19", "20 to 4032"},
                                      {"dom0-reserve-percent = 91", "0 to 90"},
                                      {"min-uptime = 1s", "60s to 366d"},
                                      {"retry-after = 29d", "60s to 28d"},
                                      {"max-tries = 11", "1 to 10"},
                                      {"interval = 0h", "at least 1s"},
                                      {"interval = 3661d", "at most 3660d"},
                                      {"xenstored-limit = 1048577G", "at most 1048576G"}}) {
        expect_wrong(line, "c:1", range);
    }
    EXPECT_EQ(parse("interval = 3660d\nxenstored-limit = 0").xenstored_limit, 0u);
}

TEST(PolicyConfig, TheOneThatIsInstalledIsTheDefaults) {
    const auto shipped = parse(warmvm::read_text_file("roothammer/policy/roothammer-policy.conf"));
    EXPECT_EQ(shipped.interval, Config().interval);
    EXPECT_TRUE(shipped.windows.empty());
    // Each setting is there, as a comment with its default.
    auto text = warmvm::read_text_file("roothammer/policy/roothammer-policy.conf");
    std::string enabled;
    std::istringstream lines(text);
    int settings = 0;
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with("#") || line.find(" = ") == std::string::npos) continue;
        enabled += line.substr(1) + "\n";
        ++settings;
    }
    EXPECT_EQ(settings, 22);
    const auto all = parse(enabled);
    const Config defaults;
    EXPECT_EQ(all.decide_by, defaults.decide_by);
    EXPECT_EQ(all.horizon, defaults.horizon);
    EXPECT_EQ(all.significance, defaults.significance);
    EXPECT_EQ(all.min_samples, defaults.min_samples);
    EXPECT_EQ(all.min_span, defaults.min_span);
    EXPECT_EQ(all.history_samples, defaults.history_samples);
    EXPECT_EQ(all.xen_reserve, defaults.xen_reserve);
    EXPECT_EQ(all.dom0_reserve_percent, defaults.dom0_reserve_percent);
    EXPECT_EQ(all.xenstored_limit, defaults.xenstored_limit);
    EXPECT_EQ(all.out_of_memory_lines, defaults.out_of_memory_lines);
    EXPECT_EQ(all.min_uptime, defaults.min_uptime);
    EXPECT_EQ(all.retry_after, defaults.retry_after);
    EXPECT_EQ(all.max_tries, defaults.max_tries);
    EXPECT_EQ(all.clock_settle, defaults.clock_settle);
    EXPECT_EQ(all.max_downtime, defaults.max_downtime);
    EXPECT_EQ(all.model.reboot_vmm.slope, defaults.model.reboot_vmm.slope);
    EXPECT_EQ(all.model.resume.constant, defaults.model.resume.constant);
    EXPECT_EQ(all.model.reboot_os.slope, defaults.model.reboot_os.slope);
    EXPECT_EQ(all.model.reset_hw.constant, defaults.model.reset_hw.constant);
    EXPECT_EQ(all.model.alpha, defaults.model.alpha);
}

}  // namespace
}  // namespace roothammer::policy
