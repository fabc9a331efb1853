// SPDX-License-Identifier: GPL-2.0-only
// It is time; may it be now? No input or output of its own.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "policy/config.hpp"
#include "policy/run.hpp"

namespace roothammer::policy {

struct Gate {
    Decision decision{};  // doubt or waiting
    std::string line;
};

struct GateInput {
    std::span<const Sample> samples;  // the sample of now at the end
    const Tries& tries;               // settled
    double downtime = 0;              // seconds, expected
    ToLocal local;
    std::function<std::string(std::int64_t)> local_text;
};

// What stands in the way; nullopt: nothing.
std::optional<Gate> find_gate(const GateInput& input, const Config& config);

// The part that time alone may change: is the window open, and long enough?
std::optional<Gate> find_window_gate(const GateInput& input, const Config& config,
                                     std::int64_t wall);

}  // namespace roothammer::policy
