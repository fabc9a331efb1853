// SPDX-License-Identifier: GPL-2.0-only
// What a warm boot loads: is it what it says it is, is it whole, and how much room will it take?
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/bytes.hpp"
#include "xen/types.hpp"

namespace roothammer {

struct XenImage {
    std::uint64_t memory_bytes{};  // from its first loaded octet to its last, bss too
    std::uint64_t min_address{};   // of the multiboot2 relocatable tag
    std::uint64_t max_address{};
};

// An ELF file (32 or 64 bits, x86) with a multiboot2 header that says it is relocatable
// (multiboot2 specification 3.1.11), as kexec-tools' kexec-mb2-x86.c wants it, and that knows
// preserved memory. Throws warmvm::Error of stream_category, saying which of these it is not;
// truncated if a segment lies beyond the end of the file.
XenImage inspect_xen(warmvm::ByteView file);

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

// A file as kexec-tools hands it on: unpacked if it is gzip, else as it is.
warmvm::Bytes read_boot_file(const std::filesystem::path& path);
warmvm::Bytes unpack(warmvm::Bytes file);

inline constexpr std::size_t max_boot_file_bytes = std::size_t{1} << 30;

}  // namespace roothammer
