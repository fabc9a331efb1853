// SPDX-License-Identifier: GPL-2.0-only
// Numbers that libxl and its save helper use with each other beside the generated messages
// (save_helper_protocol.hpp); domain_control.cpp compares them with Xen's.
#pragma once

#include <cstdint>

namespace warmvm {

// XC_STREAM_* of tools/include/xenguest.h.
enum class StreamKind : std::uint32_t { plain = 0, remus = 1, colo = 2 };

namespace save_helper {
inline constexpr std::uint32_t flag_live = 1;        // XCFLAGS_LIVE
inline constexpr std::uint32_t log_level_error = 8;  // XTL_ERROR
}  // namespace save_helper

}  // namespace warmvm
