// SPDX-License-Identifier: GPL-2.0-only
#include "boot_files.hpp"

#include <elf.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <array>
#include <memory>
#include <stdexcept>

namespace fake {
namespace {

using warmvm::Bytes;
using warmvm::store_at;

constexpr std::size_t segment_at = 0x200;
constexpr std::size_t multiboot_at = 0x210;
constexpr std::size_t parameter_at = 0x300;

template <class Header, class Segment>
Bytes elf(unsigned char elf_class, std::size_t file_bytes, std::size_t memory_bytes) {
    Bytes bytes(segment_at + file_bytes);
    Header header{};
    header.e_ident[EI_MAG0] = ELFMAG0;
    header.e_ident[EI_MAG1] = ELFMAG1;
    header.e_ident[EI_MAG2] = ELFMAG2;
    header.e_ident[EI_MAG3] = ELFMAG3;
    header.e_ident[EI_CLASS] = elf_class;
    header.e_phoff = sizeof(Header);
    header.e_phentsize = sizeof(Segment);
    header.e_phnum = 1;
    Segment segment{};
    segment.p_type = PT_LOAD;
    segment.p_offset = segment_at;
    segment.p_paddr = 0x200000;
    segment.p_filesz = static_cast<decltype(segment.p_filesz)>(file_bytes);
    segment.p_memsz = static_cast<decltype(segment.p_memsz)>(memory_bytes);
    store_at(std::span(bytes), 0, header);
    store_at(std::span(bytes), sizeof(Header), segment);
    return bytes;
}

void add_multiboot2(Bytes& bytes, bool relocatable) {
    constexpr std::uint32_t magic = 0xe85250d6;
    const std::uint32_t length = 16 + (relocatable ? 24u : 0u) + 8;
    const auto put = [&](std::size_t at, auto value) {
        store_at(std::span(bytes), multiboot_at + at, value);
    };
    put(0, magic);
    put(4, std::uint32_t{0});
    put(8, length);
    put(12, static_cast<std::uint32_t>(0u - magic - length));
    std::size_t at = 16;
    if (relocatable) {
        put(at, std::uint16_t{10});
        put(at + 4, std::uint32_t{24});
        put(at + 8, std::uint32_t{0x200000});
        put(at + 12, std::uint32_t{0xffffffff});
        at += 24;
    }
    put(at, std::uint16_t{0});
    put(at + 4, std::uint32_t{8});
}

// The name of the parameter that tells Xen of preserved memory.
void add_parameter(Bytes& bytes) {
    std::array<char, sizeof("preserved-token")> name{"preserved-token"};
    store_at(std::span(bytes), parameter_at, name);
}

}  // namespace

Bytes xen_image(std::size_t file_bytes, std::size_t memory_bytes, bool relocatable) {
    auto bytes = elf<Elf64_Ehdr, Elf64_Phdr>(ELFCLASS64, file_bytes, memory_bytes);
    add_multiboot2(bytes, relocatable);
    add_parameter(bytes);
    return bytes;
}

Bytes xen_image_32(std::size_t file_bytes, std::size_t memory_bytes) {
    auto bytes = elf<Elf32_Ehdr, Elf32_Phdr>(ELFCLASS32, file_bytes, memory_bytes);
    add_multiboot2(bytes, true);
    add_parameter(bytes);
    return bytes;
}

Bytes kernel_image(warmvm::ByteView payload) {
    constexpr std::size_t setup_bytes = 1024;
    constexpr std::uint32_t payload_offset = 256;
    Bytes bytes(setup_bytes + payload_offset);
    const auto put = [&](std::size_t at, auto value) { store_at(std::span(bytes), at, value); };
    put(0x1f1, std::uint8_t{1});
    put(0x202, std::uint32_t{0x53726448});
    put(0x206, std::uint16_t{0x20f});
    put(0x248, payload_offset);
    put(0x24c, static_cast<std::uint32_t>(payload.size()));
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    return bytes;
}

Bytes kernel_elf(std::size_t bytes) {
    return elf<Elf64_Ehdr, Elf64_Phdr>(ELFCLASS64, bytes, bytes);
}

Bytes kernel_elf_with_note(std::uint32_t type) {
    auto bytes = kernel_elf();
    store_at(std::span(bytes), sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, p_type),
             std::uint32_t{PT_NOTE});
    // In front of it another's, with a name and a body that need padding.
    constexpr std::array<std::uint32_t, 6> others{3, 5, 1, 0, 0, 0};
    store_at(std::span(bytes), segment_at, others);
    constexpr std::array<std::uint32_t, 3> header{4, 8, 0};
    constexpr std::array<char, 4> name{"Xen"};
    store_at(std::span(bytes), segment_at + sizeof(others), header);
    store_at(std::span(bytes), segment_at + sizeof(others) + 8, type);
    store_at(std::span(bytes), segment_at + sizeof(others) + sizeof(header), name);
    return bytes;
}

Bytes gzip(warmvm::ByteView bytes) {
    Bytes input(bytes.begin(), bytes.end());
    z_stream stream{};
    constexpr int gzip_window = 16 + MAX_WBITS;
    constexpr int memory_level = 8;
    if (deflateInit2(&stream, 1, Z_DEFLATED, gzip_window, memory_level, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
        throw std::runtime_error("deflateInit2");
    }
    Bytes out(deflateBound(&stream, static_cast<uLong>(input.size())));
    stream.next_in = reinterpret_cast<Bytef*>(input.data());
    stream.avail_in = static_cast<uInt>(input.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

Bytes xz(warmvm::ByteView bytes) {
    Bytes out(lzma_stream_buffer_bound(bytes.size()));
    std::size_t at = 0;
    if (lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, nullptr,
                                reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(),
                                reinterpret_cast<std::uint8_t*>(out.data()), &at,
                                out.size()) != LZMA_OK) {
        throw std::runtime_error("lzma_easy_buffer_encode");
    }
    out.resize(at);
    return out;
}

Bytes zstd(warmvm::ByteView bytes) {
    Bytes out(ZSTD_compressBound(bytes.size()));
    // With its checksum, as the kernel's build makes it.
    const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(),
                                                                       &ZSTD_freeCCtx);
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
    const auto size =
        ZSTD_compress2(context.get(), out.data(), out.size(), bytes.data(), bytes.size());
    if (ZSTD_isError(size)) throw std::runtime_error("ZSTD_compress");
    out.resize(size);
    return out;
}

Bytes with_length(Bytes packed, std::uint32_t length) {
    packed.resize(packed.size() + sizeof(length));
    store_at(std::span(packed), packed.size() - sizeof(length), length);
    return packed;
}

}  // namespace fake
