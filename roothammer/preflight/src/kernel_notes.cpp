// SPDX-License-Identifier: GPL-2.0-only
#include "preflight/kernel_notes.hpp"

#include "elf.hpp"

namespace roothammer {
namespace {

using warmvm::ByteReader;
using warmvm::ByteView;
using warmvm::load_at;

// xen/include/public/elfnote.h
constexpr std::uint32_t phys32_entry = 18;

std::size_t padded(std::size_t bytes) {
    constexpr std::size_t align = 4;
    return (bytes + align - 1) / align * align;
}

bool has_note(ByteView notes, std::uint32_t type) {
    constexpr std::string_view name{"Xen\0", 4};
    const auto wanted = warmvm::as_byte_view(name);
    while (notes.size() >= sizeof(Elf64_Nhdr)) {
        const auto note = load_at<Elf64_Nhdr>(notes, 0);
        notes = notes.subspan(sizeof(note));
        const auto body = padded(note.n_namesz);
        if (note.n_namesz == wanted.size() && notes.size() >= wanted.size() &&
            note.n_type == type && std::equal(wanted.begin(), wanted.end(), notes.begin())) {
            return true;
        }
        const auto whole = body + padded(note.n_descsz);
        if (whole > notes.size()) return false;
        notes = notes.subspan(whole);
    }
    return false;
}

}  // namespace

std::optional<bool> starts_as_pvh(ByteView kernel) {
    if (!is_elf(kernel)) return std::nullopt;
    const auto header = load_at<Elf64_Ehdr>(kernel, 0);
    if (header.e_phentsize != sizeof(Elf64_Phdr)) return false;
    ByteReader table(kernel.subspan(std::min<std::size_t>(header.e_phoff, kernel.size())),
                     "the kernel's segment table");
    for (unsigned i = 0; i < header.e_phnum; ++i) {
        const auto segment = table.get<Elf64_Phdr>();
        if (segment.p_type != PT_NOTE || segment.p_offset > kernel.size()) continue;
        const auto rest = kernel.subspan(segment.p_offset);
        if (has_note(rest.first(std::min<std::size_t>(segment.p_filesz, rest.size())),
                     phys32_entry)) {
            return true;
        }
    }
    return false;
}

}  // namespace roothammer
