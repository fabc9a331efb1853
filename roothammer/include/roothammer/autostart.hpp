// SPDX-License-Identifier: GPL-2.0-only
// May dom0 start guests from their disks by itself?
#pragma once

#include <string>
#include <vector>

#include "host/host.hpp"

namespace roothammer {

// Why it may not, for the operator: a line for each thing that is preserved, then the ways out.
// Empty: it may. A guest that was started while its memory waits would have two lives on one disk;
// whose memory an unreadable record holds nobody knows. So anything preserved keeps every guest
// from being started. Throws if the hypervisor cannot be asked, which is no leave either.
std::vector<std::string> reasons_against_autostart(const Host& host);

}  // namespace roothammer
