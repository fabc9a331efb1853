// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <string>
#include <vector>

#include "image_replay.hpp"
#include "replay.hpp"

namespace replication::bench {

// What one run measured of one trace.
struct TraceFigures {
    std::string trace;
    std::vector<ReplayResult> epochs;
    std::vector<ReplayResult> threads;  // LEVEL ", 1 threads" and ", 2 threads"
    std::vector<ImageResult> image;
    std::vector<ImageResult> image_threads;  // one thread, two threads
};
using Figures = std::vector<TraceFigures>;

// A goal, as a ratio of two figures of the same run; reached is to be at least wanted.
struct Target {
    std::string name;
    double wanted;
    double reached;
};

// Throws std::out_of_range if a coder that a target needs was not replayed.
std::vector<Target> targets_of(const Figures& figures);

}  // namespace replication::bench
