// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "chunk_traits.hpp"
#include "codec/level.hpp"

namespace replication::codec {

// What a level stands for. The figures were chosen by measurement: docs/design/page-codec.md.
struct LevelTraits {
    ChunkTraits chunk;
    // A page with at least this many bytes different from its own version is also compared with
    // zero...
    std::uint32_t try_zero;
    // ...and with at least this many still left, with this many similar pages.
    std::uint32_t try_similar;
    std::size_t candidates;
    // Per cent by which history must have shortened the literals when it was last tried, for it to
    // be used.
    unsigned history_gain;
};

LevelTraits traits_of(Level level);

// For whole images, where every page is new.
ChunkTraits image_traits();

}  // namespace replication::codec
