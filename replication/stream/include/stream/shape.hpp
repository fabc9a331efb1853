// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>

namespace replication::stream {

// What both ends of a stream must agree on: the guest's size in pages, and the slots of the page
// store, 0 for a stream that carries an image.
struct Shape {
    std::uint32_t guest_pages = 0;
    std::uint32_t store_slots = 0;
};

}  // namespace replication::stream
