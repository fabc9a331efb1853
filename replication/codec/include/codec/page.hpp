// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstddef>
#include <cstdint>

namespace replication::codec {

inline constexpr std::size_t page_size = 4096;

// Guest frame index as in Xen's p2m; 32 bits cover 16 TiB of guest memory.
enum class Pfn : std::uint32_t {};

// One page to code. `data` points at page_size readable bytes that the caller owns.
struct PageIn {
    Pfn pfn;
    const std::uint8_t* data;
};

// One decoded page. `data` points into the decoder and lives until its next call.
struct PageOut {
    Pfn pfn;
    const std::uint8_t* data;
};

}  // namespace replication::codec
