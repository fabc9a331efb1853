// SPDX-License-Identifier: GPL-2.0-only
#include "preflight/xen_image.hpp"

#include <elf.h>

#include <algorithm>
#include <optional>

#include "elf.hpp"

namespace roothammer {
namespace {

using warmvm::ByteReader;
using warmvm::ByteView;
using warmvm::Error;
using warmvm::load_at;
using warmvm::StreamErrc;

constexpr std::uint32_t multiboot2_magic = 0xe85250d6;
constexpr std::size_t multiboot2_search_bytes = 32768;
constexpr std::size_t multiboot2_align = 8;
constexpr std::uint16_t multiboot2_end_tag = 0;
constexpr std::uint16_t multiboot2_relocatable_tag = 10;
constexpr std::uint64_t max_xen_bytes = 1u << 30;

[[noreturn]] void refuse(StreamErrc code, const char* what) {
    throw Error(code, what);
}

template <class Header, class Segment>
std::uint64_t loaded_bytes(ByteView file) {
    const auto header = load_at<Header>(file, 0);
    if (header.e_phentsize != sizeof(Segment) || header.e_phnum == 0) {
        refuse(StreamErrc::bad_value, "not Xen: its ELF header lists no segments");
    }
    std::uint64_t first = ~std::uint64_t{0};
    std::uint64_t last = 0;
    ByteReader table(file.subspan(std::min<std::size_t>(header.e_phoff, file.size())),
                     "Xen's segment table");
    for (unsigned i = 0; i < header.e_phnum; ++i) {
        const auto segment = table.get<Segment>();
        if (segment.p_type != PT_LOAD) continue;
        const std::uint64_t offset = segment.p_offset;
        const std::uint64_t in_file = segment.p_filesz;
        const std::uint64_t in_memory = segment.p_memsz;
        const std::uint64_t address = segment.p_paddr;
        if (offset > file.size() || in_file > file.size() - offset) {
            refuse(StreamErrc::truncated, "a segment of it lies beyond the end of the file");
        }
        if (in_memory < in_file || in_memory > max_xen_bytes ||
            address > ~std::uint64_t{0} - in_memory) {
            refuse(StreamErrc::bad_value, "a segment of it has an impossible size");
        }
        first = std::min(first, address);
        last = std::max(last, address + in_memory);
    }
    if (last <= first || last - first > max_xen_bytes) {
        refuse(StreamErrc::bad_value, "not Xen: its ELF header loads nothing of a plausible size");
    }
    return last - first;
}

std::optional<std::size_t> find_multiboot2(ByteView file) {
    const auto end = std::min(file.size(), multiboot2_search_bytes);
    for (std::size_t at = 0; at + 16 <= end; at += multiboot2_align) {
        const auto magic = load_at<std::uint32_t>(file, at);
        if (magic != multiboot2_magic) continue;
        const auto sum = magic + load_at<std::uint32_t>(file, at + 4) +
                         load_at<std::uint32_t>(file, at + 8) +
                         load_at<std::uint32_t>(file, at + 12);
        if (sum == 0) return at;
    }
    return std::nullopt;
}

void read_relocatable_tag(ByteView file, std::size_t header, XenImage& image) {
    constexpr std::size_t header_bytes = 16;
    constexpr std::size_t tag_bytes = 8;
    const std::uint64_t length = load_at<std::uint32_t>(file, header + 8);
    if (length < header_bytes || length > multiboot2_search_bytes) {
        refuse(StreamErrc::bad_length, "not Xen: its multiboot2 header has an impossible length");
    }
    const auto end = header + length;
    for (auto at = header + header_bytes; at + tag_bytes <= end;) {
        const auto type = load_at<std::uint16_t>(file, at);
        const auto size = load_at<std::uint32_t>(file, at + 4);
        if (type == multiboot2_end_tag || size < tag_bytes) break;
        if (type == multiboot2_relocatable_tag) {
            image.min_address = load_at<std::uint32_t>(file, at + 8);
            image.max_address = load_at<std::uint32_t>(file, at + 12);
            return;
        }
        at += (size + multiboot2_align - 1) / multiboot2_align * multiboot2_align;
    }
    refuse(StreamErrc::missing_record, "its multiboot2 header does not say it is relocatable");
}

// Every other Xen would start well, and give all memory to its heap. This one has the name of the
// parameter by which it is told of the record (xen/arch/x86/preserved/boot.c).
bool preserves_memory(ByteView file) {
    constexpr std::string_view parameter{"preserved-token\0", sizeof("preserved-token")};
    const auto wanted = warmvm::as_byte_view(parameter);
    return std::search(file.begin(), file.end(), wanted.begin(), wanted.end()) != file.end();
}

}  // namespace

XenImage inspect_xen(ByteView file) {
    if (file.size() < EI_NIDENT || !is_elf(file)) {
        refuse(StreamErrc::bad_magic, "not Xen: no ELF file");
    }
    XenImage image;
    switch (std::to_integer<unsigned>(file[EI_CLASS])) {
        case ELFCLASS32:
            image.memory_bytes = loaded_bytes<Elf32_Ehdr, Elf32_Phdr>(file);
            break;
        case ELFCLASS64:
            image.memory_bytes = loaded_bytes<Elf64_Ehdr, Elf64_Phdr>(file);
            break;
        default:
            refuse(StreamErrc::bad_value, "not Xen: an ELF file of no known class");
    }
    const auto header = find_multiboot2(file);
    if (!header) refuse(StreamErrc::bad_magic, "not Xen: no multiboot2 header");
    read_relocatable_tag(file, *header, image);
    if (!preserves_memory(file)) {
        refuse(StreamErrc::missing_record,
               "a hypervisor that does not preserve memory: every guest would be lost");
    }
    return image;
}

}  // namespace roothammer
