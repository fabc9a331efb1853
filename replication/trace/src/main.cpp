// SPDX-License-Identifier: GPL-2.0-only
// Dirty-page traces: recorded, replayed through codecs, priced. docs/man/replication-trace.1
#include <boost/program_options/errors.hpp>

#include <cstdio>
#include <exception>
#include <map>

#include "command.hpp"

using namespace replication::trace;

int main(int argc, char** argv) {
    static const std::map<std::string, int (*)(const Arguments&)> commands{
        {"record", record_command},
        {"replay", replay_command},
        {"cost", cost_command},
        {"similarity", similarity_command},
    };
    const auto command = argc < 2 ? commands.end() : commands.find(argv[1]);
    try {
        if (command == commands.end())
            throw UsageError{
                "one of record, replay, cost, similarity is wanted; --help after it for more"};
        return command->second({argv + 2, argv + argc});
    } catch (const UsageError& error) {
        std::fprintf(stderr, "replication-trace: %s\n", error.message.c_str());
        return 2;
    } catch (const boost::program_options::error& error) {
        std::fprintf(stderr, "replication-trace: %s\n", error.what());
        return 2;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "replication-trace: %s\n", error.what());
        return 1;
    }
}
