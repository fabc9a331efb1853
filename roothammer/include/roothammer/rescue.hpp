// SPDX-License-Identifier: GPL-2.0-only
// What can be done with a preserved guest but resuming it.
#pragma once

#include <filesystem>
#include <string>

#include "host/host.hpp"

namespace roothammer {

// Writes the guest into a new file, as `xl save` would have. The guest stays preserved. Throws, and
// leaves no file, if anything is wrong.
void rescue(const Host& host, const std::string& name, const std::filesystem::path& file);

// Scrubs its memory and frees it. name may be "set N", or "unreadable" for all sets that are.
void discard(const Host& host, const std::string& name);

}  // namespace roothammer
