// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstddef>
#include <cstdint>

#include "trace/trace_file.hpp"

namespace replication::bench {

// Gerofi's question (chapter 3): of the areas that changed since the last checkpoint, what share of
// the bytes is the same in something the other side already has?
struct SimilarityShare {
    std::uint64_t blocks = 0;  // changed ones
    std::uint64_t bytes = 0;   // in them
    std::uint64_t self = 0;    // of these, equal to the same place's last version
    std::uint64_t density =
        0;  // to the better of that and the blocks a bit density signature finds
    std::uint64_t projection = 0;  // likewise with a bit projection signature
    std::uint64_t exact = 0;       // blocks of which projection found a whole copy
};

// For blocks of `block_size` bytes (64 to 4096, a power of two), over the first `max_epochs`
// epochs.
SimilarityShare study_similarity(const trace::TraceFile& trace, std::size_t block_size,
                                 std::size_t max_epochs);

}  // namespace replication::bench
