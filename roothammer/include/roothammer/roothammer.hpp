// SPDX-License-Identifier: GPL-2.0-only
// The program `roothammer`, without its command `policy`.
#pragma once

#include "roothammer/command_line.hpp"

namespace roothammer {

int run_roothammer(int argc, const char* const* argv, const HostSource& host);

}  // namespace roothammer
