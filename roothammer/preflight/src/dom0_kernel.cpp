// SPDX-License-Identifier: GPL-2.0-only
#include "preflight/dom0_kernel.hpp"

#include "elf.hpp"
#include "preflight/unpack.hpp"
#include "xen/types.hpp"

namespace roothammer {
namespace {

using warmvm::Bytes;
using warmvm::ByteView;
using warmvm::load_at;
using warmvm::StreamErrc;

[[noreturn]] void refuse(StreamErrc code, const char* what) {
    throw warmvm::Error(code, what);
}

constexpr std::uint64_t gzip_headroom(std::uint64_t unpacked) {
    // 8 octets a 32 KB input block, and 32 KB + 18.
    return unpacked + (unpacked >> 12) + 32768 + 18;
}

struct Payload {
    ByteView bytes;
    std::uint64_t unpacked_bytes{};  // as it says itself; nothing if it is an ELF file
};

Payload bzimage_payload(ByteView file) {
    constexpr std::size_t setup_sects_at = 0x1f1;
    constexpr std::size_t magic_at = 0x202;
    constexpr std::size_t version_at = 0x206;
    constexpr std::size_t payload_offset_at = 0x248;
    constexpr std::size_t payload_length_at = 0x24c;
    constexpr std::uint32_t header_magic = 0x53726448;  // "HdrS"
    constexpr std::uint16_t least_version = 0x208;
    constexpr std::size_t sector = 512;
    constexpr std::uint64_t max_unpacked = 1u << 30;

    if (file.size() < payload_length_at + 4 ||
        load_at<std::uint32_t>(file, magic_at) != header_magic) {
        refuse(StreamErrc::bad_magic, "no Linux kernel: neither bzImage nor ELF");
    }
    if (load_at<std::uint16_t>(file, version_at) < least_version) {
        refuse(StreamErrc::bad_version, "a bzImage too old for Xen");
    }
    const auto start = (std::to_integer<std::size_t>(file[setup_sects_at]) + 1) * sector +
                       load_at<std::uint32_t>(file, payload_offset_at);
    const std::size_t length = load_at<std::uint32_t>(file, payload_length_at);
    if (start > file.size() || length > file.size() - start || length < 4) {
        refuse(StreamErrc::truncated, "the kernel's payload lies beyond the end of the file");
    }
    Payload payload{file.subspan(start, length), 0};
    if (is_elf(payload.bytes)) return payload;
    payload.unpacked_bytes = load_at<std::uint32_t>(payload.bytes, length - 4);
    if (payload.unpacked_bytes > max_unpacked) {
        refuse(StreamErrc::too_big, "the kernel's payload unpacks to an impossible size");
    }
    return payload;
}

}  // namespace

Dom0Kernel inspect_kernel(ByteView file) {
    constexpr std::uint64_t page_mask = warmvm::page_size_mask;
    Dom0Kernel kernel{file.size(), 0};
    if (is_elf(file)) return kernel;
    const auto [payload, unpacked] = bzimage_payload(file);
    if (is_elf(payload)) return kernel;
    const auto headroom = is_gzip(payload) ? gzip_headroom(unpacked) : unpacked + payload.size();
    kernel.headroom_bytes = (headroom + page_mask) & ~page_mask;
    return kernel;
}

Bytes unpacked_kernel(ByteView file) {
    if (is_elf(file)) return {};
    const auto [payload, unpacked_bytes] = bzimage_payload(file);
    if (is_elf(payload)) return {};
    // gzip's own trailer is the length; the kernel's build appends one to what other packers make.
    constexpr std::size_t length_bytes = 4;
    Bytes kernel;
    if (is_gzip(payload)) {
        kernel = unpack_gzip(payload, unpacked_bytes);
    } else if (is_xz(payload)) {
        kernel = unpack_xz(payload.first(payload.size() - length_bytes), unpacked_bytes);
    } else if (is_zstd(payload)) {
        kernel = unpack_zstd(payload.first(payload.size() - length_bytes), unpacked_bytes);
    } else {
        return {};
    }
    if (kernel.size() != unpacked_bytes || !is_elf(kernel)) {
        refuse(StreamErrc::bad_value, "the kernel's payload is not what it says it is");
    }
    return kernel;
}

}  // namespace roothammer
