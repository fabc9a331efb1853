// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>

#include "codec/isa.hpp"

namespace replication::codec {

// What both ends of a stream of epochs are made with. The bytes and the page stores do not depend
// on `threads` and `isa`, in which the ends may differ.
struct EpochOptions {
    std::uint32_t guest_pages = 0;  // pfns are below this
    std::uint32_t store_slots = 0;  // pages whose last version both ends keep
    unsigned threads = 1;
    Isa isa = best_isa();
};

}  // namespace replication::codec
