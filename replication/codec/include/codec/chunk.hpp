// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <span>

namespace replication::codec {

// The coded form of some pages (docs/specs/page-coding.md), in memory of whoever made or received
// it.
using Chunk = std::span<const std::uint8_t>;

}  // namespace replication::codec
