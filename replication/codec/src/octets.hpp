// SPDX-License-Identifier: GPL-2.0-only
// Pages and chunks are std::byte to everybody else; what counts and codes them works on octets.
#pragma once

#include <cstddef>
#include <cstdint>

namespace replication::codec {

inline const std::uint8_t* octets(const std::byte* at) noexcept {
    return reinterpret_cast<const std::uint8_t*>(at);
}
inline std::uint8_t* octets(std::byte* at) noexcept {
    return reinterpret_cast<std::uint8_t*>(at);
}

}  // namespace replication::codec
