// SPDX-License-Identifier: GPL-2.0-only
#include "roothammer/command_line.hpp"

#include <cstdio>

#include "base/error.hpp"

namespace roothammer {

int run_command(const std::string& program, const std::function<int()>& command) {
    return warmvm::run_program(program, [&] {
        try {
            return command();
        } catch (const warmvm::Error& error) {
            if (error.code() != std::errc::device_or_resource_busy) throw;
            std::fprintf(stderr, "%s: %s\n", program.c_str(), error.what());
            return exit_host_refused;
        }
    });
}

}  // namespace roothammer
