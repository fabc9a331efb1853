// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <string_view>

namespace warmvm {

// All programs of this tree have one version, "0.1.0": the file VERSION at its top.
std::string_view version();

}  // namespace warmvm
