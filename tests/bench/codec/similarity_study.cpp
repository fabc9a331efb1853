// SPDX-License-Identifier: GPL-2.0-only
#include "similarity_study.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <vector>

#include "coder.hpp"

namespace replication::bench {
namespace {

constexpr std::size_t segments = 8;

std::uint64_t mix(std::uint64_t key) {
    key *= 0x9e3779b97f4a7c15;
    return key ^ (key >> 29);
}

std::uint64_t word(const std::byte* at) {
    std::uint64_t value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

// How many bits are set in each eighth of the block, in nine steps.
std::uint64_t density_of(const std::byte* block, std::size_t size) {
    std::uint64_t key = 0;
    const std::size_t part = size / segments;
    for (std::size_t s = 0; s < segments; ++s) {
        std::size_t ones = 0;
        for (std::size_t at = 0; at < part; at += 8)
            ones += static_cast<std::size_t>(std::popcount(word(block + s * part + at)));
        key = key << 4 | ones / part;
    }
    return mix(key);
}

// The bits of eight words that the codec's index takes (codec/similarity.hpp).
std::uint64_t projection_of(const std::byte* block, std::size_t size) {
    std::uint64_t key = 0;
    for (std::size_t s = 0; s < segments; ++s)
        key = mix(key + (word(block + s * (size / segments)) & 0xffff000000000fff));
    return mix(key);
}

// Content-addressable: the last four blocks of each of 2^20 sets of signatures.
class Table {
  public:
    static constexpr std::size_t ways = 4;
    using Set = std::array<std::uint32_t, ways>;  // block number + 1; 0: none
    Set& set(std::uint64_t key) { return sets_[key >> 44]; }
    void insert(std::uint64_t key, std::uint32_t block) {
        Set& entries = set(key);
        if (entries[0] == block + 1) return;
        std::copy_backward(entries.begin(), entries.end() - 1, entries.end());
        entries[0] = block + 1;
    }

  private:
    std::vector<Set> sets_ = std::vector<Set>(std::size_t{1} << 20);
};

std::size_t equal_bytes(const std::byte* a, const std::byte* b, std::size_t size) {
    std::size_t equal = 0;
    for (std::size_t i = 0; i < size; ++i) equal += a[i] == b[i];
    return equal;
}

bool is_zero(const std::byte* block, std::size_t size) {
    return block[0] == std::byte{} && std::memcmp(block, block + 1, size - 1) == 0;
}

}  // namespace

SimilarityShare study_similarity(const trace::TraceFile& trace, std::size_t block_size,
                                 std::size_t max_epochs) {
    ReferenceImage reference(trace.guest_pages());
    Table densities;
    Table projections;
    const std::size_t blocks_per_page = page_size / block_size;
    const auto block_at = [&](std::uint32_t block) -> const std::byte* {
        return reference.page(static_cast<std::uint32_t>(block / blocks_per_page)) +
               block % blocks_per_page * block_size;
    };
    const auto commit = [&](std::uint32_t pfn, const std::byte* page) {
        for (std::size_t b = 0; b < blocks_per_page; ++b) {
            const std::byte* block = page + b * block_size;
            if (is_zero(block, block_size)) continue;
            const auto number = static_cast<std::uint32_t>(pfn * blocks_per_page + b);
            densities.insert(density_of(block, block_size), number);
            projections.insert(projection_of(block, block_size), number);
        }
        std::memcpy(reference.page(pfn), page, page_size);
    };
    for (const trace::TraceFile::Run& run : trace.first_image_runs())
        for (std::uint32_t pfn = run.first; pfn < run.first + run.pages; ++pfn)
            commit(pfn, trace.first_image(pfn));

    SimilarityShare share;
    std::size_t left = max_epochs;
    for (const trace::TraceFile::Epoch& epoch : trace.epochs()) {
        if (left-- == 0) break;
        for (std::size_t i = 0; i < epoch.pfns.size(); ++i) {
            for (std::size_t b = 0; b < blocks_per_page; ++b) {
                const std::byte* block = epoch.data + i * page_size + b * block_size;
                const std::byte* own = reference.page(epoch.pfns[i]) + b * block_size;
                const std::size_t self = equal_bytes(block, own, block_size);
                if (self == block_size) continue;
                const auto best_of = [&](const Table::Set& entries) {
                    std::size_t best = self;
                    for (const std::uint32_t entry : entries)
                        if (entry != 0)
                            best =
                                std::max(best, equal_bytes(block, block_at(entry - 1), block_size));
                    return best;
                };
                ++share.blocks;
                share.bytes += block_size;
                share.self += self;
                share.density += best_of(densities.set(density_of(block, block_size)));
                const std::size_t projected =
                    best_of(projections.set(projection_of(block, block_size)));
                share.projection += projected;
                share.exact += projected == block_size;
            }
        }
        for (std::size_t i = 0; i < epoch.pfns.size(); ++i)
            commit(epoch.pfns[i], epoch.data + i * page_size);
    }
    return share;
}

}  // namespace replication::bench
