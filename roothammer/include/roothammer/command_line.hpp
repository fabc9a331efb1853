// SPDX-License-Identifier: GPL-2.0-only
// The two programs. Exit statuses: docs/man.
#pragma once

#include <functional>
#include <memory>

#include "roothammer/host.hpp"

namespace roothammer {

inline constexpr int exit_ok = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;
inline constexpr int exit_guest_refused = 3;
inline constexpr int exit_host_refused = 4;

// The real ports, opened; unit tests bring fakes.
class RealHost {
  public:
    RealHost();
    ~RealHost();
    RealHost(const RealHost&) = delete;
    RealHost& operator=(const RealHost&) = delete;
    [[nodiscard]] const Host& host() const;

  private:
    struct Ports;
    std::unique_ptr<Ports> ports_;
};

int run_roothammer(int argc, char** argv);
int run_xl_warm_reboot(int argc, char** argv);

// Runs command and turns what it throws into a message and an exit status.
int run_command(const char* program, const std::function<int()>& command);

}  // namespace roothammer
