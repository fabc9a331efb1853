// SPDX-License-Identifier: GPL-2.0-only
// The forms in which boot files come packed. Each unpacker checks its format's own checksum and
// throws warmvm::Error of stream_category: truncated; too_big: more than limit octets come out;
// bad_value: damaged.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/bytes.hpp"

namespace roothammer {

bool is_gzip(warmvm::ByteView file);
bool is_xz(warmvm::ByteView file);
bool is_zstd(warmvm::ByteView file);

warmvm::Bytes unpack_gzip(warmvm::ByteView file, std::uint64_t limit);
warmvm::Bytes unpack_xz(warmvm::ByteView file, std::uint64_t limit);
warmvm::Bytes unpack_zstd(warmvm::ByteView file, std::uint64_t limit);

inline constexpr std::size_t max_boot_file_bytes = std::size_t{1} << 30;
// A file as kexec-tools hands it on: unpacked if it is gzip, else as it is.
warmvm::Bytes read_boot_file(const std::filesystem::path& path);
warmvm::Bytes unpack(warmvm::Bytes file);

}  // namespace roothammer
