// SPDX-License-Identifier: GPL-2.0-only
#include <immintrin.h>

#include <bit>
#include <cstring>

#include "kernels.hpp"

// Only these functions use the instructions; the rest of the program stays runnable everywhere.
#define CODEC_AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt")))

namespace replication::codec {
namespace {

CODEC_AVX2 __m256i load(const std::uint8_t* at) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
}

CODEC_AVX2 std::uint64_t unequal(__m256i low, __m256i low_base, __m256i high, __m256i high_base) {
    const auto equal_low =
        static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, low_base)));
    const auto equal_high =
        static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, high_base)));
    return ~(equal_low | std::uint64_t{equal_high} << 32);
}

CODEC_AVX2 std::uint32_t differ(const std::uint8_t* page, const std::uint8_t* base,
                                ByteMasks& masks) {
    std::uint64_t count = 0;
    for (std::size_t b = 0; b < blocks_per_page; ++b) {
        const std::uint8_t* p = page + b * 64;
        const std::uint8_t* q = base + b * 64;
        const std::uint64_t mask = unequal(load(p), load(q), load(p + 32), load(q + 32));
        masks.block[b] = mask;
        count += static_cast<std::uint64_t>(_mm_popcnt_u64(mask));
    }
    return static_cast<std::uint32_t>(count);
}

CODEC_AVX2 std::uint32_t nonzero(const std::uint8_t* page, ByteMasks& masks) {
    const __m256i zero = _mm256_setzero_si256();
    std::uint64_t count = 0;
    for (std::size_t b = 0; b < blocks_per_page; ++b) {
        const std::uint8_t* p = page + b * 64;
        const std::uint64_t mask = unequal(load(p), zero, load(p + 32), zero);
        masks.block[b] = mask;
        count += static_cast<std::uint64_t>(_mm_popcnt_u64(mask));
    }
    return static_cast<std::uint32_t>(count);
}

CODEC_AVX2 std::uint32_t unrepeated(const std::uint8_t* page, ByteMasks& masks) {
    __m256i low_before = _mm256_setzero_si256();
    __m256i high_before = low_before;
    std::uint64_t count = 0;
    for (std::size_t b = 0; b < blocks_per_page; ++b) {
        const __m256i low = load(page + b * 64);
        const __m256i high = load(page + b * 64 + 32);
        const std::uint64_t mask = unequal(low, low_before, high, high_before);
        masks.block[b] = mask;
        count += static_cast<std::uint64_t>(_mm_popcnt_u64(mask));
        low_before = low;
        high_before = high;
    }
    return static_cast<std::uint32_t>(count);
}

// Each of the eight bits of `bits` as a byte, 0x00 or 0xff.
CODEC_AVX2 std::uint64_t widen(std::uint64_t bits) {
    return _pdep_u64(bits, 0x0101010101010101) * 0xff;
}

// The byte-mask bytes of a block with `whole_word` or more bits, raised to 0xff.
CODEC_AVX2 std::uint64_t take_whole_words(std::uint64_t mask, unsigned whole_word) {
    constexpr std::uint64_t ones = 0x0101010101010101;
    std::uint64_t counts = mask - ((mask >> 1) & 0x55 * ones);
    counts = (counts & 0x33 * ones) + ((counts >> 2) & 0x33 * ones);
    counts = (counts + (counts >> 4)) & 0x0f * ones;
    const std::uint64_t reached =
        ((counts + (0x80 - std::uint64_t{whole_word}) * ones) >> 7) & ones;
    return mask | reached * 0xff;
}

CODEC_AVX2 std::uint32_t emit(const std::uint8_t* page, ByteMasks& masks, unsigned whole_word,
                              MaskSink& sink) {
    const MaskSink before = sink;
    std::uint8_t* words_out = sink.words;
    std::uint8_t* bytes_out = sink.bytes;
    std::uint8_t* literals_out = sink.literals;
    std::uint64_t blocks = 0;
    for (std::size_t b = 0; b < blocks_per_page; ++b) {
        if (masks.block[b] == 0) continue;
        blocks |= std::uint64_t{1} << b;
        const std::uint64_t mask = take_whole_words(masks.block[b], whole_word);
        const __m128i bytes = _mm_cvtsi64_si128(static_cast<long long>(mask));
        const auto words = ~static_cast<std::uint32_t>(
                               _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_setzero_si128()))) &
                           0xff;
        *words_out++ = static_cast<std::uint8_t>(words);
        const std::uint64_t packed = _pext_u64(mask, widen(words));
        std::memcpy(bytes_out, &packed, 8);
        bytes_out += std::popcount(words);
        for (std::uint32_t left = words; left != 0; left &= left - 1) {
            const auto w = static_cast<unsigned>(std::countr_zero(left));
            const std::uint64_t byte_bits = (mask >> (8 * w)) & 0xff;
            std::uint64_t word;
            std::memcpy(&word, page + b * 64 + w * 8, 8);
            word = _pext_u64(word, widen(byte_bits));
            std::memcpy(literals_out, &word, 8);
            literals_out += std::popcount(byte_bits);
        }
    }
    std::memcpy(sink.blocks, &blocks, sizeof blocks);
    sink = {sink.blocks + 8, words_out, bytes_out, literals_out};
    return static_cast<std::uint32_t>(8 + (sink.words - before.words) +
                                      (sink.bytes - before.bytes) +
                                      (sink.literals - before.literals));
}

// One block's changed words, written over what `out` holds of the base.
CODEC_AVX2 bool rebuild_block(std::uint8_t* out, MaskSource& source) {
    if (source.words == source.words_end) return false;
    const std::uint32_t words = *source.words++;
    if (source.bytes_end - source.bytes < std::popcount(words)) return false;
    std::uint64_t packed;
    std::memcpy(&packed, source.bytes, 8);
    source.bytes += std::popcount(words);
    const std::uint64_t mask = _pdep_u64(packed, widen(words));
    if (source.literals_end - source.literals < std::popcount(mask)) return false;
    for (std::uint32_t rest = words; rest != 0; rest &= rest - 1) {
        const auto w = static_cast<unsigned>(std::countr_zero(rest));
        const std::uint64_t byte_bits = (mask >> (8 * w)) & 0xff;
        const std::uint64_t taken = widen(byte_bits);
        std::uint64_t literals;
        std::uint64_t word;
        std::memcpy(&literals, source.literals, 8);
        std::memcpy(&word, out + w * 8, 8);
        word = (word & ~taken) | _pdep_u64(literals, taken);
        std::memcpy(out + w * 8, &word, 8);
        source.literals += std::popcount(byte_bits);
    }
    return true;
}

CODEC_AVX2 bool apply(const std::uint8_t* base, std::uint64_t wanted, std::uint8_t* out,
                      MaskSource& source) {
    if (source.blocks_end - source.blocks < 8) return false;
    std::uint64_t blocks;
    std::memcpy(&blocks, source.blocks, 8);
    source.blocks += 8;
    for (; wanted != 0; wanted &= wanted - 1, out += 64) {
        const auto b = static_cast<unsigned>(std::countr_zero(wanted));
        std::memcpy(out, base + b * 64, 64);
        if ((blocks >> b & 1) != 0 && !rebuild_block(out, source)) return false;
    }
    return true;
}

CODEC_AVX2 bool apply_repeated(std::uint8_t* out, MaskSource& source) {
    if (source.blocks_end - source.blocks < 8) return false;
    std::uint64_t blocks;
    std::memcpy(&blocks, source.blocks, 8);
    source.blocks += 8;
    std::memset(out, 0, 64);
    for (std::size_t b = 0; b < blocks_per_page; ++b, out += 64) {
        if (b != 0) std::memcpy(out, out - 64, 64);
        if ((blocks >> b & 1) != 0 && !rebuild_block(out, source)) return false;
    }
    return true;
}

}  // namespace

const Kernels avx2_kernels{differ, nonzero, unrepeated, emit, apply, apply_repeated};

}  // namespace replication::codec
