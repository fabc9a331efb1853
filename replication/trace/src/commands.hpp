// SPDX-License-Identifier: GPL-2.0-only
// The commands of replication-trace.
#pragma once

#include <cstdint>

#include "program/command_line.hpp"

namespace replication::trace {

inline constexpr std::uint64_t longest_interval = 3600 * 1000;  // of an epoch, ms

int record_command(const warmvm::Words& arguments);
int cost_command(const warmvm::Words& arguments);

}  // namespace replication::trace
