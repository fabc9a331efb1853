// SPDX-License-Identifier: GPL-2.0-only
// Files that pass for a hypervisor and a kernel.
#pragma once

#include "base/bytes.hpp"

namespace fake {

// 64-bit ELF, one segment of file_bytes in the file and memory_bytes in memory, multiboot2 header,
// and the name of the parameter for preserved memory at 0x300.
warmvm::Bytes xen_image(std::size_t file_bytes = 4096, std::size_t memory_bytes = 8192,
                        bool relocatable = true);
warmvm::Bytes xen_image_32(std::size_t file_bytes = 4096, std::size_t memory_bytes = 8192);
// A bzImage around a payload.
warmvm::Bytes kernel_image(warmvm::ByteView payload);
// The payload of the kernel's build: an ELF file of about so many bytes, packed; with the length
// at the end that gzip has of itself.
warmvm::Bytes kernel_elf(std::size_t bytes = 8192);
// The same with a note of Xen's in the place of its segment: type 18 is the PVH entry.
warmvm::Bytes kernel_elf_with_note(std::uint32_t type);
warmvm::Bytes gzip(warmvm::ByteView bytes);
warmvm::Bytes xz(warmvm::ByteView bytes);
warmvm::Bytes zstd(warmvm::ByteView bytes);
warmvm::Bytes with_length(warmvm::Bytes packed, std::uint32_t length);

}  // namespace fake
