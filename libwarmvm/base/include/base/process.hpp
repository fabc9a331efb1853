// SPDX-License-Identifier: GPL-2.0-only
// Running another program and waiting for it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/file.hpp"

namespace warmvm {

struct ProcessRequest {
    std::vector<std::string> argv;
    std::vector<std::pair<std::string, std::string>> environment;  // added to this process's own
    std::optional<std::chrono::milliseconds> timeout;
    // SIGTERM to the program when this process dies, however it dies.
    bool dies_with_us = false;
    std::vector<int> inherited = {};  // descriptors that the program has too, by the same numbers
    // It has this process's own stdin, stdout and stderr, and ProcessResult::output stays empty.
    bool keeps_streams = false;
    // It leads a process group, which is ended as a whole where the program is, and which a
    // terminal's Ctrl-C does not reach.
    bool leads_group = false;
};

struct ProcessResult {
    bool timed_out = false;  // it was told to end, and then made to
    int status = 0;          // exit status, or 128 + the signal that ended it
    std::string output;      // its stdout and stderr, the last 64 KB
    [[nodiscard]] bool ok() const { return !timed_out && status == 0; }
};

// A program that runs; unless it keeps ours, its stdin is /dev/null.
class Process {
  public:
    // Returns when the program runs; throws Error if it cannot be run.
    explicit Process(ProcessRequest request);
    // One that has not been waited for is told to end, and then made to.
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    // Waits until it has ended or its time is over; once.
    ProcessResult wait();
    // poll(2) finds it readable once the program has ended.
    [[nodiscard]] int descriptor() const { return pidfd_.get(); }
    [[nodiscard]] pid_t pid() const { return child_; }
    // The time limit counts from now.
    void restart_clock() { start_ = std::chrono::steady_clock::now(); }
    // What is left of the time limit, never negative. nullopt: it has none.
    [[nodiscard]] std::optional<std::chrono::milliseconds> time_left() const;

  private:
    void await_exec(int failure);
    void signal(int number) const;
    void end();
    int reap();

    ProcessRequest request_;
    std::chrono::steady_clock::time_point start_;
    Fd output_;
    Fd pidfd_;
    pid_t child_ = -1;  // -1: reaped
};

// Process(request).wait()
ProcessResult run_process(const ProcessRequest& request);

// The last line of output that says anything, for a message.
std::string last_line(const std::string& output);

}  // namespace warmvm
