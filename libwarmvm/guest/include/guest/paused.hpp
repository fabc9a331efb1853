// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <string>

#include "guest/undo.hpp"
#include "xen/domain_control.hpp"

namespace warmvm {

// Pauses a domain until the object ends. Xen counts pauses (xen/common/domain.c,
// domain_pause_by_systemcontroller), so one that is paused already stays so. `name` is for
// messages; `domains` outlives the object. Throws Error if the domain cannot be paused.
[[nodiscard]] Undo paused(DomainControl& domains, DomId domain, const std::string& name);

}  // namespace warmvm
