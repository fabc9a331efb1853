// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <string_view>

namespace warmvm {

// Of all programs of this tree: the file VERSION at its top, "0.1.0".
std::string_view version();

}  // namespace warmvm
