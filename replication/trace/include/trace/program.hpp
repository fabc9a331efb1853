// SPDX-License-Identifier: GPL-2.0-only
// What programs of the form PROGRAM COMMAND OPTION ... have in common.
#pragma once

#include <boost/program_options.hpp>

#include <map>
#include <string>
#include <vector>

namespace replication::trace {

using Arguments = std::vector<std::string>;

// A command takes its own arguments and returns the exit status.
using Commands = std::map<std::string, int (*)(const Arguments&)>;

// Wrong arguments.
struct UsageError {
    std::string message;
};

// Parses a command's arguments; `positional` names the option that takes what stands alone. Throws
// UsageError, and what run_program() takes for an answer to --help.
boost::program_options::variables_map parse(const Arguments& arguments,
                                            boost::program_options::options_description description,
                                            const char* positional);

// Runs the command that argv names and returns its exit status: 1 for one that throws, 2 for wrong
// arguments, each with a message on standard error. --help, of the program or of a command, is
// answered on standard output, with status 0.
int run_program(const std::string& program, const Commands& commands, int argc, char** argv);

}  // namespace replication::trace
