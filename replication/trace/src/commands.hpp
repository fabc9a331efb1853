// SPDX-License-Identifier: GPL-2.0-only
// The commands of replication-trace.
#pragma once

#include "trace/program.hpp"

namespace replication::trace {

int record_command(const Arguments& arguments);
int cost_command(const Arguments& arguments);

}  // namespace replication::trace
