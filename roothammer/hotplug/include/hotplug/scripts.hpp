// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace roothammer::hotplug {

// The first of the scripts beside this one that is not as this program knows it, by the list's
// lines "xxh128  name"; nullopt if all are. An operator's own changes count.
std::optional<std::string> changed_script(const std::filesystem::path& script,
                                          const std::string& list);

}  // namespace roothammer::hotplug
