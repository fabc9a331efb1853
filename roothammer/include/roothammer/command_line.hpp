// SPDX-License-Identifier: GPL-2.0-only
// What the programs have in common. Exit statuses: docs/man.
#pragma once

#include <functional>

#include "host/host.hpp"

namespace roothammer {

inline constexpr int exit_ok = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;
inline constexpr int exit_guest_refused = 3;
inline constexpr int exit_host_refused = 4;

// Where a program gets its ports from; not asked for --help and wrong usage.
using HostSource = std::function<const Host&()>;

// What --version prints.
int print_version(const char* program);

// Runs command and turns what it throws into a message and an exit status.
int run_command(const char* program, const std::function<int()>& command);

}  // namespace roothammer
