// SPDX-License-Identifier: GPL-2.0-only
// One run of the policy: sample, remember, judge, and perhaps act.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policy/assess.hpp"
#include "policy/config.hpp"
#include "policy/ports.hpp"
#include "policy/tries.hpp"

namespace roothammer::policy {

// Also the exit statuses, of roothammer-policy(8). 2, wrong usage, is the command line's.
enum class Decision {
    not_due = 0,
    failed = 1,
    guest_refused = 3,
    host_refused = 4,  // or another run is at work
    waiting = 5,       // due, but not now
    doubt = 6,         // due, but something is not as it should be
    would_reboot = 7,  // dry run only
};
std::string_view name(Decision decision);

struct RunOptions {
    bool dry_run = false;  // nothing is written, nothing is done
};

struct Outcome {
    Decision decision = Decision::failed;
    std::string line;                // why, in one line
    std::vector<std::string> notes;  // what could not be read, what was set aside
    // With what it was judged to be. Empty: it came to no judgement, and there are no figures.
    std::optional<Sample> now;
    Assessment assessment;
    Cost cost;
    std::optional<LastReboot> last_reboot;
};

// Files in ports.storage.
inline constexpr const char* history_file = "history";
inline constexpr const char* history_rejected_file = "history.rejected";
inline constexpr const char* tries_file = "tries";
inline constexpr const char* tries_rejected_file = "tries.rejected";

// What goes wrong is in the outcome; nothing is thrown for it.
Outcome run(const Ports& ports, const Config& config, const RunOptions& options);

// Forget failed tries.
void reset(const Ports& ports);

}  // namespace roothammer::policy
