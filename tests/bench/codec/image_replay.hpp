// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <string>
#include <vector>

#include "trace/trace_file.hpp"

namespace replication::bench {

struct ImageResult {
    std::string coder;
    double raw_bytes = 0;
    double coded_bytes = 0;
    double encode_seconds = 0;
    double decode_seconds = 0;

    double ratio() const { return raw_bytes / coded_bytes; }
    double encode_rate() const { return raw_bytes / encode_seconds; }
    double decode_rate() const { return raw_bytes / decode_seconds; }
};

struct ImageReplayOptions {
    unsigned rounds = 3;   // over the whole image, all coders in turn: rounds.hpp
    unsigned threads = 1;  // of ours
    bool peers = true;
    bool wall_clock = false;  // elapsed time instead of CPU time, for more than one thread
};

// The trace's first image as a whole, in batches as a migration sends it: ours and stream
// compressors. Each decoded image is compared with the trace; throws std::runtime_error where one
// differs.
std::vector<ImageResult> replay_image(const trace::TraceFile& trace,
                                      const ImageReplayOptions& options);

}  // namespace replication::bench
