// SPDX-License-Identifier: GPL-2.0-only
#include "trace/program.hpp"

#include <cstdio>
#include <exception>
#include <sstream>

namespace replication::trace {
namespace {

namespace po = boost::program_options;

struct HelpRequest {
    std::string text;
};

std::string list_of(const Commands& commands) {
    std::string list;
    for (const auto& [name, _] : commands) list += (list.empty() ? "" : ", ") + name;
    return list;
}

int run(const Commands& commands, const Arguments& arguments) {
    if (!arguments.empty() && arguments[0] == "--help")
        throw HelpRequest{"commands: " + list_of(commands) + "; --help after one for more\n"};
    const auto command = arguments.empty() ? commands.end() : commands.find(arguments[0]);
    if (command == commands.end())
        throw UsageError{"one of " + list_of(commands) + " is wanted; --help after it for more"};
    return command->second({arguments.begin() + 1, arguments.end()});
}

}  // namespace

po::variables_map parse(const Arguments& arguments, po::options_description description,
                        const char* positional) {
    description.add_options()("help", "this text");
    po::positional_options_description places;
    places.add(positional, -1);
    po::variables_map values;
    try {
        po::store(po::command_line_parser(arguments).options(description).positional(places).run(),
                  values);
        if (values.contains("help")) {
            std::ostringstream text;
            text << description;
            throw HelpRequest{text.str()};
        }
        po::notify(values);
    } catch (const po::error& error) {
        throw UsageError{error.what()};
    }
    return values;
}

int run_program(const std::string& program, const Commands& commands, int argc, char** argv) {
    try {
        return run(commands, {argv + 1, argv + argc});
    } catch (const HelpRequest& help) {
        std::fputs(help.text.c_str(), stdout);
        return std::fflush(stdout) == 0 ? 0 : 1;
    } catch (const UsageError& error) {
        std::fprintf(stderr, "%s: %s\n", program.c_str(), error.message.c_str());
        return 2;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", program.c_str(), error.what());
        return 1;
    }
}

}  // namespace replication::trace
