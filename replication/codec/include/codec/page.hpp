// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace replication::codec {

inline constexpr std::size_t page_size = 4096;

// Guest frame index as in Xen's p2m; 32 bits cover 16 TiB of guest memory.
enum class Pfn : std::uint32_t {};

// One page to code. `data` points at page_size readable bytes that the caller owns.
struct PageIn {
    Pfn pfn;
    const std::uint8_t* data;
};

// One decoded page, as what is new of it: bit b of `changed` set means that 64-byte block b is the
// next 64 bytes of `blocks`, which point into the decoder and live until its next call. The other
// blocks are as in the last committed version of the page, which the receiver of pages has; a page
// that it may not have comes whole.
struct PageOut {
    Pfn pfn;
    std::uint64_t changed;
    const std::uint8_t* blocks;

    // Makes `page` (page_size bytes, the last committed version) the new version.
    void write_to(std::uint8_t* page) const noexcept {
        const std::uint8_t* from = blocks;
        for (std::uint64_t left = changed; left != 0; left &= left - 1, from += 64)
            std::memcpy(page + static_cast<std::size_t>(std::countr_zero(left)) * 64, from, 64);
    }
};

}  // namespace replication::codec
