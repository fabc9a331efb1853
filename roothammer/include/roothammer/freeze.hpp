// SPDX-License-Identifier: GPL-2.0-only
// The last act of the old dom0: freeze the plan's guests, then jump. Until the jump any
// failure puts every guest back where it was.
#pragma once

#include "host/host.hpp"

namespace roothammer {

inline constexpr const char* warm_target = "roothammer-warm.target";
inline constexpr const char* freeze_unit = "roothammer-freeze.service";
inline constexpr const char* normal_target = "default.target";

// Follows the plan in paths.plan(). Does not return: reboot(2) ends it, or it throws; what it had
// begun is put back then, by recover().
void freeze(const Host& host);

}  // namespace roothammer
