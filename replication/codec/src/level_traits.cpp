// SPDX-License-Identifier: GPL-2.0-only
#include "level_traits.hpp"

namespace replication::codec {

LevelTraits traits_of(Level level) {
    constexpr EntropyTraits quick_masks{
        .coding = Coding::zstd, .level = 1, .hash_log = 12, .min_match = 5};
    constexpr EntropyTraits closer{
        .coding = Coding::zstd, .level = 1, .hash_log = 13, .min_match = 4};
    constexpr EntropyTraits quick{
        .coding = Coding::zstd, .level = 1, .hash_log = 12, .min_match = 6};
    constexpr EntropyTraits quick_after_history{
        .coding = Coding::zstd, .level = 1, .window_log = 23, .hash_log = 16, .min_match = 6};
    constexpr EntropyTraits thorough_masks{.coding = Coding::zstd, .level = 5};
    constexpr EntropyTraits thorough{.coding = Coding::zstd, .level = 6};
    constexpr EntropyTraits thorough_after_history{
        .coding = Coding::zstd, .level = 1, .window_log = 23, .hash_log = 17, .min_match = 4};
    // Tables that stay in the second-level cache make a deep search affordable.
    constexpr EntropyTraits more_thorough{.coding = Coding::zstd,
                                          .level = 6,
                                          .hash_log = 17,
                                          .chain_log = 16,
                                          .search_log = 2,
                                          .min_match = 4};
    constexpr EntropyTraits more_thorough_after_history{.coding = Coding::zstd,
                                                        .level = 6,
                                                        .window_log = 23,
                                                        .hash_log = 19,
                                                        .chain_log = 17,
                                                        .search_log = 2};
    switch (level) {
        case Level::fast:
            return {.chunk = {.chunk_pages = 128},
                    .try_zero = 512,
                    .try_similar = 512,
                    .candidates = 0,
                    .history_gain = 0};
        case Level::balanced:
            return {.chunk = {.masks = quick_masks,
                              .literals = quick,
                              .literals_if_few = closer,
                              .few_literals = 256,
                              .literals_after_history = quick_after_history,
                              .whole_word = 5,
                              .pages_without_history = 512},
                    .try_zero = 512,
                    .try_similar = 1024,
                    .candidates = 2,
                    .history_gain = 5};
        case Level::small:
            break;
    }
    return {.chunk = {.masks = thorough_masks,
                      .literals = thorough,
                      .literals_if_few = more_thorough,
                      .few_literals = 1024,
                      .literals_after_history = thorough_after_history,
                      .few_literals_after_history = more_thorough_after_history,
                      .whole_word = 5},
            .try_zero = 64,
            .try_similar = 64,
            .candidates = 4,
            .history_gain = 2};
}

ChunkTraits image_traits() {
    constexpr EntropyTraits masks{
        .coding = Coding::zstd, .level = -3, .hash_log = 12, .min_match = 5, .code_literals = true};
    constexpr EntropyTraits literals{.coding = Coding::zstd, .level = -1, .code_literals = true};
    return {.masks = masks, .literals = literals, .whole_word = 5, .chunk_pages = 512};
}

}  // namespace replication::codec
