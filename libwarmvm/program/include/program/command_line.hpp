// SPDX-License-Identifier: GPL-2.0-only
// A program's command line, and how the program ends. One rule holds for all: wrong usage is found
// before anything is opened or changed; the message, on stderr, names the word that is wrong and
// points to --help; the exit status is 2.
#pragma once

#include <boost/program_options.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace warmvm {

inline constexpr int exit_ok = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;

// Wrong usage. What boost finds itself is a program_options::error too, so that is what is caught.
struct UsageError : boost::program_options::error {
    using error::error;
};

using Words = std::vector<std::string>;

struct CommandLine {
    boost::program_options::variables_map options;
    Words words;  // that stand alone, or after "--"
};

// Adds --help, also as -h, and --version to the options, parses, and sets the options' variables.
// Throws what run_program() answers: a program_options::error, or a request for one of those two;
// the help is `usage` and then the options.
CommandLine parse_command_line(const Words& arguments,
                               boost::program_options::options_description options,
                               const std::string& usage = {});

// Throws UsageError, naming what is missing or one too many: `wanted` has a name for each word.
void expect_words(const Words& words, const Words& wanted);

// The number that an option's value is; throws UsageError, with option, value and the allowed
// values.
std::uint64_t whole_number(const std::string& option, const std::string& text, std::uint64_t low,
                           std::uint64_t high);
double real_number(const std::string& option, const std::string& text, double low, double high);

// The semantic of an option that takes a number; --help shows the default as it is given here.
template <class Number>
auto* whole_number_into(Number& number, const std::string& option, std::uint64_t low,
                        std::uint64_t high) {
    return boost::program_options::value<std::string>()->notifier(
        [&number, option, low, high](const std::string& text) {
            number = static_cast<Number>(whole_number(option, text, low, high));
        });
}

// Runs command and turns what it throws into a message and an exit status. The program's name may
// have a command after it, whose --help the message then points to. What could not be written to
// standard output has a message and makes the status 1, if it was 0: any other says more.
int run_program(const std::string& program, const std::function<int()>& command);

// A program of the form PROGRAM COMMAND OPTION ...: a command takes its own arguments and returns
// the exit status.
using Commands = std::map<std::string, int (*)(const Words&)>;
int run_commands(const std::string& program, const Commands& commands, int argc,
                 const char* const* argv);

}  // namespace warmvm
