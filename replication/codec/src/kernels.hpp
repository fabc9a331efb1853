// SPDX-License-Identifier: GPL-2.0-only
// The inner loops of docs/specs/page-coding.md, once per instruction set, bit-identical.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "codec/isa.hpp"

namespace replication::codec {

inline constexpr std::size_t blocks_per_page = 64;

// Kernels read and write whole vectors: every stream buffer has this many bytes to spare at its
// end.
inline constexpr std::size_t stream_slack = 64;

// One bit per byte of a page, byte 64 * b + i at bit i of element b.
struct alignas(64) ByteMasks {
    std::array<std::uint64_t, blocks_per_page> block;
};

// Where a difference is written; each pointer moves past what was written.
struct MaskSink {
    std::uint8_t* blocks;
    std::uint8_t* words;
    std::uint8_t* bytes;
    std::uint8_t* literals;
};

// Where a difference is read. `*_end` bound what may be consumed; stream_slack more bytes are
// readable.
struct MaskSource {
    const std::uint8_t* blocks;
    const std::uint8_t* words;
    const std::uint8_t* bytes;
    const std::uint8_t* literals;
    const std::uint8_t* blocks_end;
    const std::uint8_t* words_end;
    const std::uint8_t* bytes_end;
    const std::uint8_t* literals_end;
};

struct Kernels {
    // Marks the bytes where page and base differ; returns how many.
    std::uint32_t (*differ)(const std::uint8_t* page, const std::uint8_t* base, ByteMasks& masks);
    // Marks the bytes that are not zero; returns how many.
    std::uint32_t (*nonzero)(const std::uint8_t* page, ByteMasks& masks);
    // Marks the bytes that differ from the byte 64 before, the first 64 from zero; returns how
    // many.
    std::uint32_t (*unrepeated)(const std::uint8_t* page, ByteMasks& masks);
    // Writes masks and literals. A word with at least `whole_word` marked bytes is taken whole
    // (9: never). Returns the bytes written.
    std::uint32_t (*emit)(const std::uint8_t* page, ByteMasks& masks, unsigned whole_word,
                          MaskSink& sink);
    // Rebuilds the blocks of a page in the set `wanted`, which holds at least those that differ,
    // one after the other into `out` (may not overlap base). False if a stream is too short; `out`
    // then holds nothing of use.
    bool (*apply)(const std::uint8_t* base, std::uint64_t wanted, std::uint8_t* out,
                  MaskSource& source);
    // Does the same to the whole page, with the block before, as rebuilt, in the place of base.
    bool (*apply_repeated)(std::uint8_t* out, MaskSource& source);
};

const Kernels& kernels(Isa isa);

extern const Kernels scalar_kernels;
extern const Kernels avx2_kernels;
extern const Kernels avx512_kernels;

}  // namespace replication::codec
