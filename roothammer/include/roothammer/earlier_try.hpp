// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "host/host.hpp"

namespace roothammer {

// What a resume that died has left of a domain: one that adopted the set and never ran, or one that
// libxl had made and not yet given any memory. Destroys it and waits until the set is inherited
// again. Throws Error (device_or_resource_busy) if a living domain has the guest's uuid.
void clear_earlier_try(const Host& host, const warmvm::PreservedSet& set);

}  // namespace roothammer
