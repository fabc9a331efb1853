// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>

#include "codec/isa.hpp"

namespace replication::codec {

// What both ends of an image are made with; only `guest_pages` must be the same at both.
struct ImageOptions {
    std::uint32_t guest_pages = 0;  // pfns are below this
    // Pages whose place the encoder's deduplication remembers; 24 bytes each. Later ones replace
    // earlier ones.
    std::uint32_t remembered_pages = 1u << 20;
    unsigned threads = 1;
    Isa isa = best_isa();
};

}  // namespace replication::codec
