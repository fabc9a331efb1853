// SPDX-License-Identifier: GPL-2.0-only
// Running another program and waiting for it.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace warmvm {

struct ProcessRequest {
    std::vector<std::string> argv;
    std::vector<std::pair<std::string, std::string>> environment;  // added to this process's own
    std::optional<std::chrono::milliseconds> timeout;
    // SIGTERM to the program when this process dies, however it dies.
    bool dies_with_us = false;
};

struct ProcessResult {
    bool timed_out = false;  // it was told to end, and then made to
    int status = 0;          // exit status, or 128 + the signal that ended it
    std::string output;      // its stdout and stderr, the last 64 KB
    [[nodiscard]] bool ok() const { return !timed_out && status == 0; }
};

// Throws Error if the program cannot be started. Its stdin is /dev/null.
ProcessResult run_process(const ProcessRequest& request);

// The last line of output that says anything, for a message.
std::string last_line(const std::string& output);

}  // namespace warmvm
