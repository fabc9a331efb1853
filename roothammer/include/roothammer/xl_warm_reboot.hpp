// SPDX-License-Identifier: GPL-2.0-only
// The program `xl-warm-reboot`.
#pragma once

#include "roothammer/command_line.hpp"

namespace roothammer {

int run_xl_warm_reboot(int argc, const char* const* argv, const HostSource& host);

}  // namespace roothammer
