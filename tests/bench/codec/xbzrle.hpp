// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstddef>
#include <optional>

namespace replication::bench {

// The page format of QEMU's XBZRLE, a peer, after its description in QEMU's docs/xbzrle.txt:
// alternating runs of equal and of new bytes, each length a LEB128, the new bytes after theirs; a
// trailing equal run is left out, an equal page is empty. Written here from that description, a
// word at a time as is usual for it.

inline constexpr std::size_t xbzrle_bound = 4096;

// Bytes written to `out`, which has room for xbzrle_bound; nothing if they would not fit.
std::optional<std::size_t> xbzrle_encode(const std::byte* base, const std::byte* page,
                                         std::byte* out);

// `page` holds the base and becomes the new page. False if `in` is not of the format.
bool xbzrle_decode(const std::byte* in, std::size_t size, std::byte* page);

}  // namespace replication::bench
