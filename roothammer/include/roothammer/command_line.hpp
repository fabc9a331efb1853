// SPDX-License-Identifier: GPL-2.0-only
// What the programs of a warm reboot have in common. Exit statuses: docs/man.
#pragma once

#include <functional>

#include "host/host.hpp"
#include "program/command_line.hpp"

namespace roothammer {

using warmvm::exit_failed;
using warmvm::exit_ok;
using warmvm::exit_usage;
inline constexpr int exit_guest_refused = 3;
inline constexpr int exit_host_refused = 4;

// Where a program gets its ports from. They are not opened for --help, wrong usage and what only
// reads a file.
struct HostSource {
    Paths paths;
    std::function<const Host&()> open;
};

// warmvm::run_program() with an exit status of its own for what others are at work on.
int run_command(const std::string& program, const std::function<int()>& command);

}  // namespace roothammer
