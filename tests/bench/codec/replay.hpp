// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "coder.hpp"
#include "trace/trace_file.hpp"

namespace replication::bench {

struct ReplayOptions {
    unsigned repeats = 3;  // of each epoch: rounds.hpp
    std::size_t max_epochs = SIZE_MAX;
    bool wall_clock = false;  // elapsed time instead of CPU time, for more than one thread
};

struct EpochCost {
    std::size_t pages = 0;
    std::size_t bytes = 0;      // on the wire, list of pfns and framing included
    double encode_seconds = 0;  // with the upkeep of the reference
    double decode_seconds = 0;  // likewise
};

struct ReplayResult {
    std::string coder;
    std::vector<EpochCost> epochs;

    double raw_bytes() const;
    double ratio() const;        // raw bytes / bytes on the wire
    double encode_rate() const;  // raw bytes a second
    double decode_rate() const;
};

// Sends every epoch of the trace through every coder, epoch by epoch in turn, so that a disturbance
// of the machine meets all alike. Before each timed step the caches are emptied and the epoch's
// pages copied to a fresh place, as a paused guest's copy-out does: pages are warm, references
// cold. Every decoded epoch is compared with the trace; throws std::runtime_error where one
// differs.
std::vector<ReplayResult> replay(const trace::TraceFile& trace, const Coders& coders,
                                 const ReplayOptions& options);

}  // namespace replication::bench
