// SPDX-License-Identifier: GPL-2.0-only
#include <bit>
#include <cstring>

#include "kernels.hpp"
#include "streams.hpp"

namespace replication::codec {
namespace {

std::uint64_t load64(const std::uint8_t* at) {
    std::uint64_t value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

// Bit i set where byte i of `word` is not zero.
std::uint64_t nonzero_bytes(std::uint64_t word) {
    constexpr std::uint64_t low7 = 0x7f7f7f7f7f7f7f7f;
    const std::uint64_t high = (((word & low7) + low7) | word) & ~low7;
    return ((high >> 7) * 0x0102040810204080) >> 56;
}

template <typename WordAt>
std::uint32_t mark(ByteMasks& masks, WordAt word_at) {
    std::uint32_t count = 0;
    for (std::size_t b = 0; b < blocks_per_page; ++b) {
        std::uint64_t mask = 0;
        for (std::size_t w = 0; w < 8; ++w) {
            const std::uint64_t word = word_at(b * 64 + w * 8);
            if (word != 0) mask |= nonzero_bytes(word) << (8 * w);
        }
        masks.block[b] = mask;
        count += static_cast<std::uint32_t>(std::popcount(mask));
    }
    return count;
}

std::uint32_t differ(const std::uint8_t* page, const std::uint8_t* base, ByteMasks& masks) {
    return mark(masks, [&](std::size_t at) { return load64(page + at) ^ load64(base + at); });
}

std::uint32_t nonzero(const std::uint8_t* page, ByteMasks& masks) {
    return mark(masks, [&](std::size_t at) { return load64(page + at); });
}

std::uint32_t unrepeated(const std::uint8_t* page, ByteMasks& masks) {
    return mark(masks, [&](std::size_t at) {
        return load64(page + at) ^ (at < 64 ? 0 : load64(page + at - 64));
    });
}

std::uint32_t emit(const std::uint8_t* page, ByteMasks& masks, unsigned whole_word,
                   MaskSink& sink) {
    const MaskSink before = sink;
    std::uint64_t blocks = 0;
    for (std::size_t b = 0; b < blocks_per_page; ++b) {
        const std::uint64_t mask = masks.block[b];
        if (mask == 0) continue;
        blocks |= std::uint64_t{1} << b;
        unsigned words = 0;
        for (std::size_t w = 0; w < 8; ++w) {
            auto bytes = static_cast<std::uint8_t>(mask >> (8 * w));
            if (bytes == 0) continue;
            if (static_cast<unsigned>(std::popcount(bytes)) >= whole_word) bytes = 0xff;
            words |= 1u << w;
            *sink.bytes++ = bytes;
            const std::uint8_t* from = page + b * 64 + w * 8;
            for (unsigned left = bytes; left != 0; left &= left - 1)
                *sink.literals++ = from[std::countr_zero(left)];
        }
        *sink.words++ = static_cast<std::uint8_t>(words);
    }
    std::memcpy(sink.blocks, &blocks, sizeof blocks);
    sink.blocks += sizeof blocks;
    return static_cast<std::uint32_t>(8 + (sink.words - before.words) +
                                      (sink.bytes - before.bytes) +
                                      (sink.literals - before.literals));
}

// `base_of(b)` is the block that block b differs from; called in ascending order.
template <typename BaseOf>
bool rebuild(BaseOf base_of, std::uint64_t wanted, std::uint8_t* out, MaskSource& source) {
    if (source.blocks_end - source.blocks < 8) return false;
    const std::uint64_t blocks = load64(source.blocks);
    source.blocks += 8;
    for (; wanted != 0; wanted &= wanted - 1, out += 64) {
        const auto b = static_cast<std::size_t>(std::countr_zero(wanted));
        std::memcpy(out, base_of(b), 64);
        if ((blocks >> b & 1) == 0) continue;
        if (source.words == source.words_end) return false;
        for (unsigned words = *source.words++; words != 0; words &= words - 1) {
            const auto w = static_cast<std::size_t>(std::countr_zero(words));
            if (source.bytes == source.bytes_end) return false;
            const unsigned bytes = *source.bytes++;
            if (source.literals_end - source.literals < std::popcount(bytes)) return false;
            std::uint8_t* to = out + w * 8;
            for (unsigned rest = bytes; rest != 0; rest &= rest - 1)
                to[std::countr_zero(rest)] = *source.literals++;
        }
    }
    return true;
}

bool apply(const std::uint8_t* base, std::uint64_t wanted, std::uint8_t* out, MaskSource& source) {
    return rebuild([base](std::size_t b) { return base + b * 64; }, wanted, out, source);
}

bool apply_repeated(std::uint8_t* out, MaskSource& source) {
    const auto block_before = [out](std::size_t b) {
        return b == 0 ? zero_page.data() : out + (b - 1) * 64;
    };
    return rebuild(block_before, ~std::uint64_t{0}, out, source);
}

}  // namespace

const Kernels scalar_kernels{differ, nonzero, unrepeated, emit, apply, apply_repeated};

}  // namespace replication::codec
