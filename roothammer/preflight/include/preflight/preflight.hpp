// SPDX-License-Identifier: GPL-2.0-only
// Everything that can be checked before the first guest is frozen. Changes nothing.
#pragma once

#include <string>

#include "host/host.hpp"
#include "preflight/report.hpp"

namespace roothammer {

struct Images {
    std::string xen, kernel, initrd;  // paths
    std::string xen_commandline;      // without liveupdate= and preserved-token=
    std::string kernel_commandline;
};

Report preflight(const Host& host, const Images& images, OnGuestFailure policy);

}  // namespace roothammer
