// SPDX-License-Identifier: GPL-2.0-only
// The next hypervisor: is it what it says it is, is it whole, and how much room will it take?
#pragma once

#include <cstdint>

#include "base/bytes.hpp"

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

}  // namespace roothammer
