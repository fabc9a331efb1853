// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <string>

#include "guest/undo.hpp"
#include "xen/log_dirty.hpp"

namespace warmvm {

// Keeps a domain in log-dirty mode until the object ends (xen/arch/x86/mm/paging.c,
// paging_log_dirty_enable and _disable). `name` is for messages; `log_dirty` outlives the object.
// Throws Error: device_or_resource_busy if the domain is in that mode already or has a device
// passed through, whose writes Xen does not see.
[[nodiscard]] Undo in_log_dirty_mode(LogDirty& log_dirty, DomId domain, const std::string& name);

}  // namespace warmvm
