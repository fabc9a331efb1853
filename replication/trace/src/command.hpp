// SPDX-License-Identifier: GPL-2.0-only
// The commands of replication-trace; each takes its own arguments and returns the exit status.
#pragma once

#include <string>
#include <vector>

namespace replication::trace {

using Arguments = std::vector<std::string>;

// Wrong arguments: the message and how to call it go to stderr, status 2.
struct UsageError {
    std::string message;
};

int record_command(const Arguments& arguments);
int replay_command(const Arguments& arguments);
int cost_command(const Arguments& arguments);
int similarity_command(const Arguments& arguments);

}  // namespace replication::trace
