// SPDX-License-Identifier: GPL-2.0-only
// The next dom0's kernel: is it one that Xen can start, is it whole, and how much room will it
// take?
#pragma once

#include <cstdint>

#include "base/bytes.hpp"

namespace roothammer {

struct Dom0Kernel {
    std::uint64_t file_bytes{};
    // What Xen needs in front of it to unpack it (xen/arch/x86/bzimage.c: bzimage_headroom).
    std::uint64_t headroom_bytes{};
};
// A bzImage of protocol 2.08 or later, or an ELF kernel (no headroom).
Dom0Kernel inspect_kernel(warmvm::ByteView file);

// The ELF file that a bzImage carries, packed by gzip, xz or zstd: given that, the next Xen has
// nothing to unpack while the guests stand still. Empty if there is nothing to unpack, or it is
// packed in another way; Xen then unpacks it itself (xen/common/decompress.c). Throws
// warmvm::Error of stream_category if what it carries is damaged.
warmvm::Bytes unpacked_kernel(warmvm::ByteView file);

}  // namespace roothammer
