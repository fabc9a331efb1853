// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "roothammer/command_line.hpp"

namespace roothammer {

// The real ports, opened when they are first asked for. That throws Error if this is not dom0.
HostSource real_host();

}  // namespace roothammer
