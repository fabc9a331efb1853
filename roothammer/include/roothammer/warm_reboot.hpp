// SPDX-License-Identifier: GPL-2.0-only
// The operator's side of a warm reboot: check, load, plan, and hand over to the service that does
// the last act when dom0's other services are gone.
#pragma once

#include <string>
#include <vector>

#include "preflight/preflight.hpp"

namespace roothammer {

struct WarmRebootOptions {
    Images images;
    std::chrono::milliseconds timeout{60000};
    OnGuestFailure on_guest_failure = OnGuestFailure::abort;
    std::vector<std::string> keep;  // more units that must outlive the others, patterns
};

// Units without which a guest would stop or be cut off while it still runs.
const std::vector<std::string>& units_kept();

// Loads the image, writes the plan and starts the freeze. After this the guests are the freeze
// service's. Throws, with the image unloaded again, if anything fails before.
void start_warm_reboot(const Host& host, const WarmRebootOptions& options, const Report& report);

// Waits for the freeze service; returns only if it failed, with what it said.
std::string wait_for_failure(const Host& host);

}  // namespace roothammer
