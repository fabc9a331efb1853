// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace roothammer::hotplug {

// Whether the scripts beside this one are those that this program knows, by the list's lines
// "xxh128  name"; nullopt if so, else which is not. An operator's own changes count.
std::optional<std::string> changed_script(const std::filesystem::path& script,
                                          const std::string& list);

}  // namespace roothammer::hotplug
