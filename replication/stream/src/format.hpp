// SPDX-License-Identifier: GPL-2.0-only
// The constants of docs/specs/stream.md and its integers.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace replication::stream {

static_assert(std::endian::native == std::endian::little, "the formats are little endian, as is x86");

inline constexpr std::array<std::uint8_t, 8> magic{'X', 'R', 'E', 'P', 0x0d, 0x0a, 0x1a, 0x0a};
inline constexpr std::uint32_t version = 1;
inline constexpr std::size_t header_size = 32;
inline constexpr std::size_t record_header_size = 16;
inline constexpr std::size_t checksum_size = 8;
inline constexpr std::size_t max_payload = 2'457'600 + 128;

enum class Type : std::uint32_t { epoch_begin = 1, chunk = 2, epoch_end = 3 };

inline constexpr std::size_t epoch_begin_size = 24;
inline constexpr std::size_t epoch_end_size = 16;

template <typename Integer>
Integer load(const std::uint8_t* at) {
    Integer value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

}  // namespace replication::stream
