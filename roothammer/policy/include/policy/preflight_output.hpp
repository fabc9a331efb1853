// SPDX-License-Identifier: GPL-2.0-only
// What xl-warm-reboot said, in one line.
#pragma once

#include <string>

#include "policy/ports.hpp"

namespace roothammer::policy {

// status, output: of `xl-warm-reboot --json`, its messages between its JSON. Whatever they are, a
// status that is not 0 is never ok.
CommandResult read_result(int status, const std::string& output);

}  // namespace roothammer::policy
