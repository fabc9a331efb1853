// SPDX-License-Identifier: GPL-2.0-only
#include "level_traits.hpp"

namespace replication::codec {

LevelTraits traits_of(Level level) {
    using enum EntropyTraits::Method;
    constexpr EntropyTraits quick{.method = zstd, .level = 1, .window_log = 0, .hash_log = 12, .min_match = 5};
    constexpr EntropyTraits thorough{.method = zstd, .level = 9, .window_log = 0, .hash_log = 0, .min_match = 0};
    switch (level) {
        case Level::fast:
            return {.chunk = {.masks = {}, .literals = {}, .whole_word = 9, .max_pages = 128},
                    .try_zero = 512,
                    .try_similar = 0,
                    .candidates = 0};
        case Level::balanced:
            return {.chunk = {.masks = quick, .literals = quick, .whole_word = 6, .max_pages = 512},
                    .try_zero = 256,
                    .try_similar = 256,
                    .candidates = 4};
        case Level::small: break;
    }
    return {.chunk = {.masks = thorough, .literals = thorough, .whole_word = 6, .max_pages = 512},
            .try_zero = 64,
            .try_similar = 64,
            .candidates = 8};
}

}  // namespace replication::codec
