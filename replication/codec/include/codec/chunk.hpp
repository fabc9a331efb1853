// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "base/bytes.hpp"

namespace replication::codec {

// The coded form of some pages (docs/specs/page-coding.md), in memory of whoever made or received
// it.
using Chunk = warmvm::ByteView;

}  // namespace replication::codec
