// SPDX-License-Identifier: GPL-2.0-only
#include "codec/epoch_encoder.hpp"

#include <algorithm>
#include <cstring>
#include <deque>
#include <optional>
#include <stdexcept>

#include "blocks.hpp"
#include "chunk_writer.hpp"
#include "codec/similarity.hpp"
#include "codec/workers.hpp"
#include "level_traits.hpp"

namespace replication::codec {
namespace {

std::uint64_t changed_blocks(const ByteMasks& masks) {
    std::uint64_t blocks = 0;
    for (std::size_t b = 0; b < blocks_per_page; ++b) blocks |= std::uint64_t{masks.block[b] != 0} << b;
    return blocks;
}

}  // namespace

class EpochEncoder::Impl {
  public:
    explicit Impl(const EncoderOptions& options)
        : traits_(traits_of(options.level)),
          kernels_(kernels(options.isa)),
          store_(options.store_slots, options.guest_pages),
          workers_(options.threads) {
        if (options.similarity && traits_.candidates != 0) index_.emplace(options.store_slots);
        for (unsigned i = 0; i < options.threads; ++i) lanes_.emplace_back(kernels_, traits_.chunk);
    }

    std::span<const Chunk> encode(std::span<const PageIn> pages) {
        for (std::size_t i = 0; i < pages.size(); ++i)
            if (static_cast<std::uint32_t>(pages[i].pfn) >= store_.guest_pages() ||
                (i != 0 && pages[i - 1].pfn >= pages[i].pfn))
                throw std::invalid_argument("pages of an epoch must ascend and lie in the guest");
        pending_.clear();
        changes_.resize(pages.size());
        const std::size_t chunk_pages = traits_.chunk.max_pages;
        const std::size_t count = (pages.size() + chunk_pages - 1) / chunk_pages;
        while (coded_.size() < count)
            coded_.push_back(std::make_unique_for_overwrite<std::uint8_t[]>(ChunkWriter::bound(chunk_pages)));
        chunks_.resize(count);
        for (Lane& lane : lanes_) lane.counts = {};
        workers_.each(count, [&](unsigned worker, std::size_t c) {
            const std::size_t first = c * chunk_pages;
            const auto part = pages.subspan(first, std::min(chunk_pages, pages.size() - first));
            chunks_[c] = encode_chunk(lanes_[worker], part, changes_.data() + first, coded_[c].get());
        });
        pending_.assign(pages.begin(), pages.end());
        return chunks_;
    }

    void commit() noexcept {
        for (std::size_t i = 0; i < pending_.size(); ++i) {
            const std::uint8_t* page = pending_[i].data;
            const std::uint32_t slot = store_.put(pending_[i].pfn, page, changes_[i].blocks);
            if (index_ && changes_[i].fresh) index_->insert(slot, page);
        }
        pending_.clear();
    }

    void abandon() noexcept { pending_.clear(); }

    const PageStore& store() const { return store_; }

    EpochCounts counts() const {
        EpochCounts sum;
        for (const Lane& lane : lanes_) {
            sum.zero += lane.counts.zero;
            sum.same += lane.counts.same;
            sum.repeat += lane.counts.repeat;
            sum.self += lane.counts.self;
            sum.from_zero += lane.counts.from_zero;
            sum.candidate += lane.counts.candidate;
        }
        return sum;
    }

  private:
    // What commit needs to know of a pending page.
    struct Change {
        std::uint64_t blocks;  // 64-byte blocks that the page's slot does not hold yet
        bool fresh;            // far from the page's last version: the index should learn it
    };

    struct Lane {
        Lane(const Kernels& kernels, const ChunkTraits& traits) : writer(kernels, traits) {}
        ChunkWriter writer;
        EpochCounts counts;
        ByteMasks best;
        ByteMasks other;
    };

    Chunk encode_chunk(Lane& lane, std::span<const PageIn> pages, Change* changes,
                       std::uint8_t* out) noexcept {
        lane.writer.begin(pages[0].pfn);
        for (std::size_t i = 0; i < pages.size(); ++i) {
            if (i + 1 < pages.size()) {
                prefetch_page(pages[i + 1].data);
                const std::uint32_t slot = store_.find(pages[i + 1].pfn);
                if (slot != PageStore::no_slot) prefetch_page(store_.page(slot));
            }
            changes[i] = encode_page(lane, pages[i]);
        }
        return lane.writer.finish(out);
    }

    Change encode_page(Lane& lane, const PageIn& page) noexcept {
        const std::uint32_t own = store_.find(page.pfn);
        Kind kind = Kind::delta_zero;
        std::uint32_t reference = 0;
        std::uint32_t cost;
        ByteMasks* best = &lane.best;
        ByteMasks* other = &lane.other;
        const auto consider = [&](std::uint32_t other_cost, Kind other_kind) {
            if (other_cost >= cost) return;
            std::swap(best, other);
            cost = other_cost;
            kind = other_kind;
        };
        if (own != PageStore::no_slot) {
            kind = Kind::delta_self;
            cost = kernels_.differ(page.data, store_.page(own), *best);
            if (cost == 0) {
                ++lane.counts.same;
                lane.writer.same(page.pfn);
                return {0, false};
            }
            if (cost >= traits_.try_zero) consider(kernels_.nonzero(page.data, *other), Kind::delta_zero);
        } else {
            cost = kernels_.nonzero(page.data, *best);
        }
        if (cost == 0) {
            ++lane.counts.zero;
            lane.writer.zero(page.pfn);
            return {all_blocks, false};
        }
        if (cost >= traits_.try_zero) {
            // Fewer literals in more ragged masks: worth it only if they are a good deal fewer.
            const std::uint32_t unrepeated = kernels_.unrepeated(page.data, *other);
            consider(unrepeated + unrepeated / 8, Kind::delta_repeat);
        }
        const bool heavy = cost >= traits_.try_similar;
        if (index_ && heavy) {
            const auto candidates = index_->find(page.data, traits_.candidates);
            for (std::size_t c = 0; c < candidates.count; ++c) prefetch_page(store_.page(candidates.slot[c]));
            for (std::size_t c = 0; c < candidates.count; ++c) {
                const std::uint32_t slot = candidates.slot[c];
                const std::uint32_t from_slot = kernels_.differ(page.data, store_.page(slot), *other);
                // The reference takes two to four bytes of its own.
                if (from_slot + 4 >= cost) continue;
                consider(from_slot, Kind::delta_candidate);
                reference = slot;
                if (cost == 0) break;
            }
        }
        if (kind == Kind::delta_candidate) {
            ++lane.counts.candidate;
        } else if (kind == Kind::delta_self) {
            ++lane.counts.self;
        } else if (kind == Kind::delta_repeat) {
            ++lane.counts.repeat;
        } else {
            ++lane.counts.from_zero;
        }
        const std::uint64_t changed = kind == Kind::delta_self ? changed_blocks(*best) : all_blocks;
        if (cost == 0)
            lane.writer.copy(page.pfn, reference);
        else
            lane.writer.delta(page.pfn, kind, reference, page.data, *best);
        return {changed, heavy || own == PageStore::no_slot};
    }

    const LevelTraits traits_;
    const Kernels& kernels_;
    PageStore store_;
    std::optional<SimilarityIndex> index_;
    Workers workers_;
    std::deque<Lane> lanes_;
    std::vector<PageIn> pending_;
    std::vector<Change> changes_;
    std::vector<std::unique_ptr<std::uint8_t[]>> coded_;
    std::vector<Chunk> chunks_;
};

EpochEncoder::EpochEncoder(const EncoderOptions& options) : impl_(std::make_unique<Impl>(options)) {}
EpochEncoder::~EpochEncoder() = default;
std::span<const EpochEncoder::Chunk> EpochEncoder::encode(std::span<const PageIn> pages) {
    return impl_->encode(pages);
}
void EpochEncoder::commit() noexcept { impl_->commit(); }
void EpochEncoder::abandon() noexcept { impl_->abandon(); }
const PageStore& EpochEncoder::store() const { return impl_->store(); }
EpochCounts EpochEncoder::counts() const { return impl_->counts(); }

}  // namespace replication::codec
