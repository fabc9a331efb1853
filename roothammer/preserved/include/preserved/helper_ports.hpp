// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "xen/domain_control.hpp"
#include "xen/guest_context.hpp"
#include "xen/guest_memory.hpp"
#include "xen/preserved_memory.hpp"

namespace warmvm {

// What the two halves of a warm reboot within libxl, save_preserved() and restore_preserved(), need
// of the host.
struct HelperPorts {
    DomainControl& domains;
    GuestContext& context;
    GuestMemory& memory;
    PreservedMemory& preserved;
};

}  // namespace warmvm
