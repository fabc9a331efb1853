// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/bytes.hpp"
#include "base/page.hpp"

namespace replication {

// What all of replication takes of the vocabulary of libwarmvm.
using warmvm::Bytes;
using warmvm::ByteView;
using warmvm::page_size;
using warmvm::Pfn;

namespace codec {

// One page to code. `data` points at page_size readable bytes that the caller owns.
struct PageIn {
    Pfn pfn;
    const std::byte* data;
};

// One decoded page, as what is new of it: bit b of `changed` set means that 64-byte block b is the
// next 64 bytes of `blocks`, which point into the decoder and live until its next call. The other
// blocks are as in the last committed version of the page, which the receiver of pages has; a page
// that it may not have comes whole.
struct PageOut {
    Pfn pfn;
    std::uint64_t changed;
    const std::byte* blocks;

    // Makes `page` (page_size bytes, the last committed version) the new version.
    void write_to(std::byte* page) const noexcept {
        const std::byte* from = blocks;
        for (std::uint64_t left = changed; left != 0; left &= left - 1, from += 64)
            std::memcpy(page + static_cast<std::size_t>(std::countr_zero(left)) * 64, from, 64);
    }
};

}  // namespace codec
}  // namespace replication
