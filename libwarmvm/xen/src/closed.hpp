// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <filesystem>

#include "base/error.hpp"

namespace warmvm {

// What it means that Xen's interface or xenstore cannot be opened, and the way out: with errno as
// the failed call has left it. `root` is where /proc, /sys and /dev are.
Error closed(const char* call, const std::filesystem::path& root = "/");

}  // namespace warmvm
