// SPDX-License-Identifier: GPL-2.0-only
// The commands of bench-codec.
#pragma once

#include "trace/program.hpp"

namespace replication::bench {

using trace::Arguments;

int replay_command(const Arguments& arguments);
int similarity_command(const Arguments& arguments);

}  // namespace replication::bench
