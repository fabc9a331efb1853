// SPDX-License-Identifier: GPL-2.0-only
#include "program/command_line.hpp"

#include <fcntl.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <sstream>

#include "base/version.hpp"

namespace warmvm {
namespace {

namespace po = boost::program_options;

struct HelpRequest {
    std::string text;
};
struct VersionRequest {};

// A closed one would be that of the next file that is opened, and what is printed would go there.
void keep_standard_descriptors() {
    for (int fd = 0; fd <= 2; ++fd) {
        if (::fcntl(fd, F_GETFD) >= 0) continue;
        // What is opened has the lowest number that is free, which is this one. It can be used no
        // more than a closed one can.
        if (::open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) < 0) return;
    }
}

// The exit status of a program that would end with `status`.
int after_output(const std::string& program, int status) {
    errno = 0;
    std::cout.flush();
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
    // errno is that of the last write. Why one before it failed is not known any more.
    std::fprintf(stderr, "%s: standard output could not be written%s%s\n", program.c_str(),
                 errno == 0 ? "" : ": ", errno == 0 ? "" : std::strerror(errno));
    return status == exit_ok ? exit_failed : status;
}

int status_of(const std::string& program, const std::function<int()>& command) {
    try {
        return command();
    } catch (const HelpRequest& help) {
        std::cout << help.text;
        return exit_ok;
    } catch (const VersionRequest&) {
        std::cout << program.substr(0, program.find(' ')) << " " << version() << "\n";
        return exit_ok;
    } catch (const po::error& error) {
        std::fprintf(stderr, "%s: %s; see %s --help\n", program.c_str(), error.what(),
                     program.c_str());
        return exit_usage;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", program.c_str(), error.what());
        return exit_failed;
    }
}

template <class Number>
Number number_within(const std::string& option, const std::string& text, Number low, Number high,
                     const char* kind) {
    Number number{};
    const char* const end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, number);
    if (error == std::errc() && at == end && number >= low && number <= high) return number;
    std::ostringstream message;
    message.precision(15);
    message << "--" << option << " '" << text << "': " << kind << " from " << low << " to " << high
            << " is wanted";
    throw UsageError(message.str());
}

}  // namespace

CommandLine parse_command_line(const Words& arguments, po::options_description options,
                               const std::string& usage) {
    options.add_options()("help", "this text")("version", "the version of this program");
    // Boost would not name a word that is one too many, so all are taken. Nobody writes this name.
    constexpr const char* words = " words";
    po::options_description all;
    all.add(options).add_options()(words, po::value<Words>());
    po::positional_options_description places;
    places.add(words, -1);
    CommandLine line;
    // To boost "-h" would be an option of that name, which --help would list in a form of its own.
    const auto short_help = [](const std::string& word) {
        return std::pair<std::string, std::string>(word == "-h" ? "help" : "", "");
    };
    po::store(po::command_line_parser(arguments)
                  .options(all)
                  .positional(places)
                  .extra_parser(short_help)
                  .run(),
              line.options);
    if (line.options.contains("help")) {
        std::ostringstream text;
        text << usage << options;
        throw HelpRequest{text.str()};
    }
    if (line.options.contains("version")) throw VersionRequest{};
    if (const auto found = line.options.find(words); found != line.options.end()) {
        line.words = found->second.as<Words>();
        line.options.erase(found);
    }
    po::notify(line.options);
    return line;
}

void expect_words(const Words& words, const Words& wanted) {
    if (words.size() > wanted.size()) {
        throw UsageError("'" + words[wanted.size()] + "' is one word too many");
    }
    if (words.size() < wanted.size()) throw UsageError(wanted[words.size()] + " is missing");
}

std::uint64_t whole_number(const std::string& option, const std::string& text, std::uint64_t low,
                           std::uint64_t high) {
    return number_within(option, text, low, high, "a whole number");
}

double real_number(const std::string& option, const std::string& text, double low, double high) {
    return number_within(option, text, low, high, "a number");
}

int run_program(const std::string& program, const std::function<int()>& command) {
    keep_standard_descriptors();
    return after_output(program, status_of(program, command));
}

int run_commands(const std::string& program, const Commands& commands, int argc,
                 const char* const* argv) {
    const Words arguments(argv + 1, argv + argc);
    const auto command = arguments.empty() ? commands.end() : commands.find(arguments.front());
    if (command != commands.end()) {
        return run_program(program + " " + command->first, [&] {
            return command->second({arguments.begin() + 1, arguments.end()});
        });
    }
    std::string list;
    for (const auto& [name, _] : commands) list += (list.empty() ? "" : ", ") + name;
    return run_program(program, [&]() -> int {
        const auto line = parse_command_line(
            arguments, po::options_description("options"),
            program + " COMMAND [options]\ncommands: " + list + "; --help after one for more\n");
        if (line.words.empty()) throw UsageError("a command is needed: " + list);
        throw UsageError("'" + line.words.front() + "' is no command: " + list);
    });
}

}  // namespace warmvm
