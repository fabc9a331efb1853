// SPDX-License-Identifier: GPL-2.0-only
// The first act of the new dom0: every preserved guest back, from the frames it has. One guest's
// failure leaves that guest preserved and the others running.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/host.hpp"

namespace roothammer {

struct ResumeOptions {
    std::vector<std::string> names;  // empty: all
    bool paused = false;             // leave them paused
    unsigned tries = 1;              // for a guest that fails: once the others have been tried
};

struct ResumeOutcome {
    std::string name;
    std::optional<std::string> trouble;  // nullopt: it runs
};

// Throws only if nothing could be tried. An asked-for name that is not preserved is an outcome too.
std::vector<ResumeOutcome> resume(const Host& host, const ResumeOptions& options);

}  // namespace roothammer
