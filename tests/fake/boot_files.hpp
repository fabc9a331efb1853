// SPDX-License-Identifier: GPL-2.0-only
// Files that pass for a hypervisor and a kernel.
#pragma once

#include "warmvm/bytes.hpp"

namespace fake {

// 64-bit ELF, one segment of file_bytes in the file and memory_bytes in memory, multiboot2 header.
warmvm::Bytes xen_image(std::size_t file_bytes = 4096, std::size_t memory_bytes = 8192,
                        bool relocatable = true);
warmvm::Bytes xen_image_32(std::size_t file_bytes = 4096, std::size_t memory_bytes = 8192);
// A bzImage whose payload unpacks to unpacked_bytes; gzip or another compression.
warmvm::Bytes kernel_image(std::uint32_t unpacked_bytes, bool gzip = true);
warmvm::Bytes gzip(warmvm::ByteView bytes);

}  // namespace fake
