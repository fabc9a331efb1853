// SPDX-License-Identifier: GPL-2.0-only
// LEB128, as docs/specs/page-coding.md defines it.
#pragma once

#include <cstdint>

namespace replication::codec {

inline constexpr int max_varint = 10;

inline std::uint8_t* write_varint(std::uint8_t* out, std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) *out++ = static_cast<std::uint8_t>(value | 0x80);
    *out++ = static_cast<std::uint8_t>(value);
    return out;
}

// Past the varint, or nullptr if it does not end before `end` or does not fit 64 bits.
inline const std::uint8_t* read_varint(const std::uint8_t* in, const std::uint8_t* end,
                                       std::uint64_t& value) {
    value = 0;
    for (unsigned shift = 0; in != end; shift += 7) {
        const std::uint64_t byte = *in++;
        if (shift == 63 && byte > 1) return nullptr;
        value |= (byte & 0x7f) << shift;
        if (byte < 0x80) return in;
    }
    return nullptr;
}

inline std::uint64_t zigzag(std::int64_t value) {
    return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}

inline std::int64_t unzigzag(std::uint64_t value) {
    return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

}  // namespace replication::codec
