// SPDX-License-Identifier: GPL-2.0-only
#include "codec/epoch_encoder.hpp"

#include <algorithm>
#include <cstring>
#include <deque>
#include <optional>
#include <stdexcept>

#include "blocks.hpp"
#include "chunk_coder.hpp"
#include "codec/similarity.hpp"
#include "codec/workers.hpp"
#include "level_traits.hpp"
#include "page_writer.hpp"

namespace replication::codec {
namespace {

std::uint64_t changed_blocks(const ByteMasks& masks) {
    std::uint64_t blocks = 0;
    for (std::size_t b = 0; b < blocks_per_page; ++b)
        blocks |= std::uint64_t{masks.block[b] != 0} << b;
    return blocks;
}

}  // namespace

class EpochEncoder::Impl {
    using History = ChunkCoder::History;

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
        for (Lane& lane : lanes_) lane.counts = {};
        const ChunkTraits& traits = traits_.chunk;
        const std::size_t parts = (pages.size() + traits.part_pages - 1) / traits.part_pages;
        const bool tries = traits.has_history() && until_trial_ == 0;
        const bool remember = tries || history_ == History::with;
        const auto part_of = [&](std::size_t p) {
            const std::size_t first = p * traits.part_pages;
            return pages.subspan(first, std::min(traits.part_pages, pages.size() - first));
        };
        const auto write_part = [&](Lane& lane, PageWriter& writer, std::size_t p) {
            const std::span<const PageIn> part = part_of(p);
            const std::uint32_t next = p == 0 ? pfn_of(part[0]) : pfn_of(part.data()[-1]) + 1;
            writer.begin(next, remember);
            encode_part(lane, writer, part, changes_.data() + p * traits.part_pages);
        };
        const auto room_of = [&](std::size_t p) {
            return coded_.get() + p * ChunkCoder::bound(traits.part_pages);
        };
        reserve(parts);
        trial_ = {};
        if (traits.has_entropy()) {
            while (parts_.size() < parts) parts_.emplace_back(kernels_, traits);
            workers_.each(parts, [&](unsigned worker, std::size_t p) {
                write_part(lanes_[worker], parts_[p], p);
            });
            plan(parts, remember);
            // Another chunk each time, as the parts of a guest's memory differ.
            const std::size_t on_trial =
                tries && !chunks_.empty() ? trials_ % chunks_.size() : chunks_.size();
            workers_.each(chunks_.size(), [&](unsigned worker, std::size_t c) {
                const std::size_t first = c == 0 ? 0 : ends_[c - 1];
                ChunkCoder& coder = lanes_[worker].coder;
                chunks_[c] = coder.code(std::span(parts_).subspan(first, ends_[c] - first),
                                        c == on_trial ? History::both : history_, room_of(first));
                if (c == on_trial) trial_ = coder.trial();
            });
        } else {
            // A chunk is made while its streams are in the cache.
            chunks_.resize(parts);
            workers_.each(parts, [&](unsigned worker, std::size_t p) {
                Lane& lane = lanes_[worker];
                write_part(lane, lane.writer, p);
                chunks_[p] = lane.coder.code({&lane.writer, 1}, History::without, room_of(p));
            });
        }
        pending_.assign(pages.begin(), pages.end());
        return chunks_;
    }

    void commit() noexcept {
        for (std::size_t i = 0; i < pending_.size(); ++i)
            if (changes_[i].held) changes_[i].to = store_.renew(pending_[i].pfn);
        workers_.each_range(pending_.size(), commit_grain, [&](std::size_t i) {
            if (changes_[i].held) copy_blocks(changes_[i].to, pending_[i].data, changes_[i].blocks);
        });
        for (std::size_t i = 0; i < pending_.size(); ++i)
            if (!changes_[i].held)
                std::memcpy(store_.assign(pending_[i].pfn), pending_[i].data, page_size);
        if (index_) {
            for (std::size_t i = 0; i < pending_.size(); ++i) {
                if (!changes_[i].fresh) continue;
                const std::uint32_t slot = store_.find(pending_[i].pfn);
                if (slot != PageStore::no_slot) index_->insert(slot, changes_[i].keys);
            }
        }
        pending_.clear();
        learn_from_trial();
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
        std::uint64_t blocks;        // 64-byte blocks that the page's slot does not hold yet
        bool held;                   // there is such a slot
        bool fresh;                  // far from the page's last version: the index should learn it
        std::uint8_t* to;            // where the slot is
        SimilarityIndex::Keys keys;  // if fresh
    };

    struct Lane {
        Lane(const Kernels& kernels, const ChunkTraits& traits)
            : writer(kernels, traits), coder(traits), own(traits.part_pages) {}
        PageWriter writer;  // where a part is a chunk
        ChunkCoder coder;
        EpochCounts counts;
        std::vector<std::uint32_t> own;
        ByteMasks best;
        ByteMasks other;
    };

    static std::uint32_t pfn_of(const PageIn& page) { return static_cast<std::uint32_t>(page.pfn); }

    void encode_part(Lane& lane, PageWriter& writer, std::span<const PageIn> pages,
                     Change* changes) noexcept {
        // The look-ups first, so that none waits for another.
        for (std::size_t i = 0; i < pages.size(); ++i) lane.own[i] = store_.find(pages[i].pfn);
        for (std::size_t i = 0; i < pages.size(); ++i) {
            if (i + 1 < pages.size()) {
                prefetch_page(pages[i + 1].data);
                if (lane.own[i + 1] != PageStore::no_slot)
                    prefetch_page(store_.page(lane.own[i + 1]));
            }
            encode_page(lane, writer, pages[i], lane.own[i], changes[i]);
        }
    }

    // Which parts make a chunk: as many that there is about equally much to compress in each,
    // whatever the number of threads. With history chunks are larger, as it is worth the more the
    // more there is of it.
    void plan(std::size_t parts, bool with_history) {
        const std::size_t weight = with_history ? std::size_t{640} << 10 : std::size_t{96} << 10;
        std::size_t total = 0;
        for (std::size_t p = 0; p < parts; ++p) total += parts_[p].size();
        const std::size_t wanted = std::max<std::size_t>((total + weight / 2) / weight, 1);
        ends_.clear();
        std::size_t before = 0;
        std::size_t pages = 0;
        for (std::size_t p = 0; p < parts; ++p) {
            const std::size_t size = parts_[p].size();
            // Past the middle of this part a chunk's share is reached.
            const bool enough = (before + size / 2) * wanted >= total * (ends_.size() + 1);
            const bool full = pages + parts_[p].pages() > traits_.chunk.chunk_pages;
            if (pages != 0 && (enough || full)) {
                ends_.push_back(p);
                pages = 0;
            }
            before += size;
            pages += parts_[p].pages();
        }
        if (parts != 0) ends_.push_back(parts);
        chunks_.resize(ends_.size());
    }

    // Room for the coded chunks of an epoch.
    void reserve(std::size_t parts) {
        if (parts <= coded_parts_) return;
        coded_parts_ = parts + parts / 2;
        coded_ = std::make_unique_for_overwrite<std::uint8_t[]>(
            coded_parts_ * ChunkCoder::bound(traits_.chunk.part_pages));
    }

    // Whether history pays depends on the guest, and little else tells as surely as trying it now
    // and then.
    void learn_from_trial() noexcept {
        constexpr unsigned period = 32;
        if (until_trial_ != 0) --until_trial_;
        if (trial_.with == 0 || trial_.without == 0) return;
        until_trial_ = period;
        ++trials_;
        const bool pays = trial_.with * 100 < trial_.without * (100 - traits_.history_gain);
        history_ = pays ? History::with : History::without;
    }

    void encode_page(Lane& lane, PageWriter& writer, const PageIn& page, std::uint32_t own,
                     Change& change) noexcept {
        const std::uint8_t* const own_page = own == PageStore::no_slot ? nullptr : store_.page(own);
        change.held = own_page != nullptr;
        change.blocks = all_blocks;
        change.fresh = false;
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
        if (own_page != nullptr) {
            kind = Kind::delta_self;
            cost = kernels_.differ(page.data, own_page, *best);
            if (cost == 0) {
                ++lane.counts.same;
                writer.same(page.pfn);
                change.blocks = 0;
                return;
            }
            if (cost >= traits_.try_zero)
                consider(kernels_.nonzero(page.data, *other), Kind::delta_zero);
        } else {
            cost = kernels_.nonzero(page.data, *best);
        }
        if (cost == 0) {
            ++lane.counts.zero;
            writer.zero(page.pfn);
            return;
        }
        if (cost >= traits_.try_zero) {
            // Fewer literals in more ragged masks: worth it only if they are a good deal fewer.
            const std::uint32_t unrepeated = kernels_.unrepeated(page.data, *other);
            consider(unrepeated + unrepeated / 8, Kind::delta_repeat);
        }
        const bool heavy = cost >= traits_.try_similar;
        change.fresh = heavy || own_page == nullptr;
        if (index_ && change.fresh) change.keys = SimilarityIndex::keys_of(page.data);
        if (index_ && heavy) {
            const auto candidates = index_->find(change.keys, traits_.candidates);
            for (std::size_t c = 0; c < candidates.count; ++c)
                prefetch_page(store_.page(candidates.slot[c]));
            for (std::size_t c = 0; c < candidates.count; ++c) {
                const std::uint32_t slot = candidates.slot[c];
                const std::uint32_t from_slot =
                    kernels_.differ(page.data, store_.page(slot), *other);
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
        if (kind == Kind::delta_self) change.blocks = changed_blocks(*best);
        if (cost == 0)
            writer.copy(page.pfn, reference);
        else
            writer.delta(page.pfn, kind, reference, page.data, own_page, *best);
    }

    const LevelTraits traits_;
    const Kernels& kernels_;
    PageStore store_;
    std::optional<SimilarityIndex> index_;
    Workers workers_;
    std::deque<Lane> lanes_;
    std::vector<PageIn> pending_;
    std::vector<Change> changes_;
    std::vector<PageWriter> parts_;
    std::vector<std::size_t> ends_;  // of each chunk: the part after its last
    std::unique_ptr<std::uint8_t[]> coded_;
    std::size_t coded_parts_ = 0;
    std::vector<Chunk> chunks_;
    History history_ = History::without;
    ChunkCoder::Trial trial_;  // written by the one thread that has the chunk on trial
    std::uint64_t trials_ = 0;
    unsigned until_trial_ = 0;  // epochs
};

EpochEncoder::EpochEncoder(const EncoderOptions& options)
    : impl_(std::make_unique<Impl>(options)) {}
EpochEncoder::~EpochEncoder() = default;
std::span<const EpochEncoder::Chunk> EpochEncoder::encode(std::span<const PageIn> pages) {
    return impl_->encode(pages);
}
void EpochEncoder::commit() noexcept {
    impl_->commit();
}
void EpochEncoder::abandon() noexcept {
    impl_->abandon();
}
const PageStore& EpochEncoder::store() const {
    return impl_->store();
}
EpochCounts EpochEncoder::counts() const {
    return impl_->counts();
}

}  // namespace replication::codec
