// SPDX-License-Identifier: GPL-2.0-only
#include "roothammer/command_line.hpp"

#include <boost/program_options/errors.hpp>
#include <cstdio>
#include <string>

#include "base/error.hpp"
#include "base/version.hpp"

namespace roothammer {

int print_version(const char* program) {
    std::printf("%s %s\n", program, std::string(warmvm::version()).c_str());
    return exit_ok;
}

int run_command(const char* program, const std::function<int()>& command) {
    try {
        return command();
    } catch (const boost::program_options::error& error) {
        std::fprintf(stderr, "%s: %s; see --help\n", program, error.what());
        return exit_usage;
    } catch (const warmvm::Error& error) {
        std::fprintf(stderr, "%s: %s\n", program, error.what());
        const bool busy = error.code() == std::errc::device_or_resource_busy;
        return busy ? exit_host_refused : exit_failed;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", program, error.what());
        return exit_failed;
    }
}

}  // namespace roothammer
