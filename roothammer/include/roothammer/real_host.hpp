// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "host/host.hpp"

namespace roothammer {

// The real ports, opened at the first call. Throws Error if this is not dom0.
const Host& real_host();

}  // namespace roothammer
