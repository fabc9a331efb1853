// SPDX-License-Identifier: GPL-2.0-only
// The commands of bench-codec, and what both take.
#pragma once

#include "program/command_line.hpp"
#include "trace/trace_file.hpp"

namespace replication::bench {

int replay_command(const warmvm::Words& arguments);
int similarity_command(const warmvm::Words& arguments);

inline auto* epochs_into(std::size_t& epochs) {
    constexpr std::uint64_t most = 1'000'000'000;
    return warmvm::whole_number_into(epochs, "epochs", 1, most);
}

// All are read before the first is worked on, which takes minutes. Throws UsageError if there is
// none, and what TraceFile throws.
inline void check_traces(const std::vector<std::string>& paths) {
    if (paths.empty()) throw warmvm::UsageError("a TRACE is missing");
    for (const auto& path : paths) {
        if (trace::TraceFile(path).epochs().empty())
            throw std::runtime_error(path + " has no epochs");
    }
}

}  // namespace replication::bench
