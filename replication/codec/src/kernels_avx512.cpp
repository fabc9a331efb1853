// SPDX-License-Identifier: GPL-2.0-only
#include <immintrin.h>

#include <bit>
#include <cstring>

#include "kernels.hpp"

// Only these functions use the instructions; the rest of the program stays runnable everywhere.
#define CODEC_AVX512 \
    __attribute__((  \
        target("avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512bitalg,bmi,bmi2,popcnt")))

namespace replication::codec {
namespace {

CODEC_AVX512 __m512i load(const void* at) {
    return _mm512_loadu_si512(at);
}

CODEC_AVX512 int ones(std::uint64_t mask) {
    return static_cast<int>(_mm_popcnt_u64(mask));
}

CODEC_AVX512 std::uint32_t differ(const std::uint8_t* page, const std::uint8_t* base,
                                  ByteMasks& masks) {
    int count = 0;
    for (std::size_t b = 0; b < blocks_per_page; ++b) {
        const std::uint64_t mask =
            _mm512_cmpneq_epi8_mask(load(page + b * 64), load(base + b * 64));
        masks.block[b] = mask;
        count += ones(mask);
    }
    return static_cast<std::uint32_t>(count);
}

CODEC_AVX512 std::uint32_t nonzero(const std::uint8_t* page, ByteMasks& masks) {
    int count = 0;
    for (std::size_t b = 0; b < blocks_per_page; ++b) {
        const __m512i block = load(page + b * 64);
        const std::uint64_t mask = _mm512_test_epi8_mask(block, block);
        masks.block[b] = mask;
        count += ones(mask);
    }
    return static_cast<std::uint32_t>(count);
}

CODEC_AVX512 std::uint32_t unrepeated(const std::uint8_t* page, ByteMasks& masks) {
    __m512i before = _mm512_setzero_si512();
    int count = 0;
    for (std::size_t b = 0; b < blocks_per_page; ++b) {
        const __m512i block = load(page + b * 64);
        const std::uint64_t mask = _mm512_cmpneq_epi8_mask(block, before);
        masks.block[b] = mask;
        count += ones(mask);
        before = block;
    }
    return static_cast<std::uint32_t>(count);
}

// The mask levels above the byte masks: a page's 512 byte-mask bytes are eight vectors, their
// nonzero bytes are the 64 word-mask bytes, and the nonzero bytes of those are the block mask.
CODEC_AVX512 std::uint32_t emit(const std::uint8_t* page, ByteMasks& masks, unsigned whole_word,
                                MaskSink& sink) {
    const MaskSink before = sink;
    const __m512i threshold = _mm512_set1_epi8(static_cast<char>(whole_word));
    alignas(64) std::uint64_t words[8];
    std::uint8_t* bytes_out = sink.bytes;
    for (std::size_t i = 0; i < 8; ++i) {
        __m512i bytes = _mm512_load_si512(&masks.block[i * 8]);
        const __mmask64 whole = _mm512_cmpge_epu8_mask(_mm512_popcnt_epi8(bytes), threshold);
        bytes = _mm512_mask_set1_epi8(bytes, whole, -1);
        _mm512_store_si512(&masks.block[i * 8], bytes);
        words[i] = _mm512_test_epi8_mask(bytes, bytes);
        _mm512_storeu_si512(bytes_out, _mm512_maskz_compress_epi8(words[i], bytes));
        bytes_out += ones(words[i]);
    }
    const __m512i word_bytes = _mm512_load_si512(words);
    const std::uint64_t blocks = _mm512_test_epi8_mask(word_bytes, word_bytes);
    std::memcpy(sink.blocks, &blocks, sizeof blocks);
    _mm512_storeu_si512(sink.words, _mm512_maskz_compress_epi8(blocks, word_bytes));
    std::uint8_t* literals_out = sink.literals;
    for (std::uint64_t left = blocks; left != 0; left &= left - 1) {
        const auto b = static_cast<std::size_t>(std::countr_zero(left));
        const std::uint64_t mask = masks.block[b];
        _mm512_storeu_si512(literals_out, _mm512_maskz_compress_epi8(mask, load(page + b * 64)));
        literals_out += ones(mask);
    }
    sink = {sink.blocks + 8, sink.words + ones(blocks), bytes_out, literals_out};
    return static_cast<std::uint32_t>(8 + (sink.words - before.words) +
                                      (sink.bytes - before.bytes) +
                                      (sink.literals - before.literals));
}

// Takes one page's masks off the source and makes sure of its literals.
CODEC_AVX512 bool take_masks(MaskSource& source, ByteMasks& masks) {
    if (source.blocks_end - source.blocks < 8) return false;
    std::uint64_t blocks;
    std::memcpy(&blocks, source.blocks, 8);
    source.blocks += 8;

    if (source.words_end - source.words < ones(blocks)) return false;
    alignas(64) std::uint64_t words[8];
    _mm512_store_si512(words, _mm512_maskz_expand_epi8(blocks, load(source.words)));
    source.words += ones(blocks);

    int literals = 0;
    for (std::size_t i = 0; i < 8; ++i) {
        if (source.bytes_end - source.bytes < ones(words[i])) return false;
        _mm512_store_si512(&masks.block[i * 8],
                           _mm512_maskz_expand_epi8(words[i], load(source.bytes)));
        source.bytes += ones(words[i]);
    }
    for (const std::uint64_t mask : masks.block) literals += ones(mask);
    return source.literals_end - source.literals >= literals;
}

CODEC_AVX512 bool apply(const std::uint8_t* base, std::uint64_t wanted, std::uint8_t* out,
                        MaskSource& source) {
    ByteMasks masks;
    if (!take_masks(source, masks)) return false;
    for (; wanted != 0; wanted &= wanted - 1, out += 64) {
        const auto b = static_cast<std::size_t>(std::countr_zero(wanted));
        const __m512i block = load(base + b * 64);
        _mm512_storeu_si512(out,
                            _mm512_mask_expand_epi8(block, masks.block[b], load(source.literals)));
        source.literals += ones(masks.block[b]);
    }
    return true;
}

CODEC_AVX512 bool apply_repeated(std::uint8_t* out, MaskSource& source) {
    ByteMasks masks;
    if (!take_masks(source, masks)) return false;
    __m512i block = _mm512_setzero_si512();
    for (std::size_t b = 0; b < blocks_per_page; ++b) {
        block = _mm512_mask_expand_epi8(block, masks.block[b], load(source.literals));
        _mm512_storeu_si512(out + b * 64, block);
        source.literals += ones(masks.block[b]);
    }
    return true;
}

}  // namespace

const Kernels avx512_kernels{differ, nonzero, unrepeated, emit, apply, apply_repeated};

}  // namespace replication::codec
