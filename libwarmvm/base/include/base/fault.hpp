// SPDX-License-Identifier: GPL-2.0-only
// Named points at which a test can make a program fail or die. ROOTHAMMER_FAULT=name[:N] makes the
// Nth pass (default: the first) over the point throw; ROOTHAMMER_KILL=name[:N] makes the process
// kill itself with SIGKILL there. A name that nobody passes has no effect.
#pragma once

#include <string_view>

namespace warmvm {

// Throws Error (EIO, "injected fault at NAME") if this pass is the one asked for. Names are words
// in lower case with dashes; CONTRIBUTING.md says how one is added.
void fault_point(std::string_view name);

// Passes are counted from zero again.
void reset_fault_points();

}  // namespace warmvm
