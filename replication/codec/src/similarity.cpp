// SPDX-License-Identifier: GPL-2.0-only
#include "similarity.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace replication::codec {
namespace {

constexpr std::size_t block_size = 64;
constexpr std::size_t stride = page_size / SimilarityIndex::blocks_sampled;
constexpr std::uint64_t projection = 0xffff000000000fff;

}  // namespace

SimilarityIndex::SimilarityIndex(std::uint32_t slots)
    : shift_(32 - static_cast<unsigned>(std::min<std::uint64_t>(
                      std::bit_width(std::uint64_t{slots} * blocks_sampled), 31))),
      table_(make_huge<std::uint32_t>(std::size_t{1} << (32 - shift_))) {}

SimilarityIndex::Keys SimilarityIndex::keys_of(const std::uint8_t* page) noexcept {
    Keys keys;
    for (std::size_t b = 0; b < blocks_sampled; ++b) {
        std::uint64_t words[block_size / 8];
        std::memcpy(words, page + b * stride, block_size);
        // Four independent products keep the multiplier busy; the odd constants are digits of
        // well-known irrationals.
        std::uint64_t any = 0;
        std::uint64_t sum = (b + 1) * 0x9e3779b97f4a7c15;
        constexpr std::uint64_t odd[8] = {
            0xff51afd7ed558ccd, 0xc4ceb9fe1a85ec53, 0x9fb21c651e98df25, 0xd6e8feb86659fd93,
            0xa0761d6478bd642f, 0xe7037ed1a0b428db, 0x8ebc6af09c88c6e3, 0x589965cc75374cc3};
        for (std::size_t w = 0; w < 8; ++w) {
            const std::uint64_t kept = words[w] & projection;
            any |= kept;
            const std::uint64_t product = kept * odd[w];
            sum += product ^ (product >> 32);
        }
        // A block of zeros is everywhere and tells nothing.
        if (any == 0) continue;
        sum ^= sum >> 29;
        keys.key[keys.count++] = static_cast<std::uint32_t>((sum * 0xbf58476d1ce4e5b9) >> 32);
    }
    return keys;
}

SimilarityIndex::Candidates SimilarityIndex::find(const Keys& keys,
                                                  std::size_t limit) const noexcept {
    for (std::size_t i = 0; i < keys.count; ++i) __builtin_prefetch(&table_[keys.key[i] >> shift_]);
    struct Vote {
        std::uint32_t slot;
        std::uint32_t votes;
    };
    std::array<Vote, blocks_sampled> votes;
    std::size_t different = 0;
    for (std::size_t i = 0; i < keys.count; ++i) {
        const std::uint32_t entry = table_[keys.key[i] >> shift_];
        if (entry == 0) continue;
        const std::uint32_t slot = entry - 1;
        std::size_t at = 0;
        while (at < different && votes[at].slot != slot) ++at;
        if (at == different) votes[different++] = {slot, 0};
        ++votes[at].votes;
    }
    Candidates candidates;
    const std::size_t wanted = std::min({limit, max_candidates, different});
    for (; candidates.count < wanted; ++candidates.count) {
        std::size_t best = candidates.count;
        for (std::size_t i = best + 1; i < different; ++i)
            if (votes[i].votes > votes[best].votes) best = i;
        if (votes[best].votes < 2) break;
        std::swap(votes[candidates.count], votes[best]);
        candidates.slot[candidates.count] = votes[candidates.count].slot;
    }
    return candidates;
}

void SimilarityIndex::insert(std::uint32_t slot, const Keys& keys) noexcept {
    for (std::size_t i = 0; i < keys.count; ++i) table_[keys.key[i] >> shift_] = slot + 1;
}

}  // namespace replication::codec
