// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "coder.hpp"

namespace replication::bench {

// What others do or could do with the same epoch: memcpy as the ceiling, lz4, zstd -1, XBZRLE, XOR
// + zstd -1, zstd -1 with the old pages as prefix (patch-from), and, if its program is installed,
// xdelta3.
Coders make_peers();

}  // namespace replication::bench
