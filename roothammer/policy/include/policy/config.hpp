// SPDX-License-Identifier: GPL-2.0-only
// What the operator wants of the policy: roothammer-policy.conf(5).
#pragma once

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "policy/cost.hpp"
#include "policy/window.hpp"

namespace roothammer::policy {

enum class DecideBy { time, trend, both, either };
std::string_view name(DecideBy by);

struct Config {
    using seconds = std::chrono::seconds;

    DecideBy decide_by = DecideBy::either;
    seconds interval = std::chrono::days(28);  // by time: a boot this old is due
    seconds horizon = std::chrono::days(7);    // by trend: due if something may run out within it

    double significance = 0.05;  // of all trends together: false alarms of one run's tests
    std::uint64_t min_samples = 24;
    seconds min_span = std::chrono::hours(12);
    std::uint64_t history_samples = 2016;  // three weeks of quarter hours

    // Bytes that must be left; a per cent is of the whole.
    std::uint64_t xen_reserve = 64u << 20;
    double dom0_reserve_percent = 5;
    std::uint64_t xenstored_limit = 0;      // 0: a quarter of dom0's memory
    std::uint64_t out_of_memory_lines = 1;  // so many make it due; 0: never

    std::vector<Window> windows;  // none: never act
    seconds min_uptime = std::chrono::days(1);
    seconds retry_after = std::chrono::hours(6);  // doubled after each further failure
    std::uint64_t max_tries = 3;
    seconds clock_settle = std::chrono::hours(2);
    seconds max_downtime{0};  // 0: no limit

    CostModel model;
};

// what() starts with "NAME:LINE: ".
struct ConfigError : std::runtime_error {
    using runtime_error::runtime_error;
};

// Throws ConfigError.
Config parse_config(std::string_view text, const std::string& name);

}  // namespace roothammer::policy
