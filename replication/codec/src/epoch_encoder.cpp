// SPDX-License-Identifier: GPL-2.0-only
#include "codec/epoch_encoder.hpp"

#include <algorithm>
#include <cstring>
#include <deque>
#include <optional>
#include <stdexcept>

#include "blocks.hpp"
#include "chunk_coder.hpp"
#include "codec/workers.hpp"
#include "level_traits.hpp"
#include "octets.hpp"
#include "page_writer.hpp"
#include "similarity.hpp"

namespace replication::codec {
namespace {

std::uint64_t changed_blocks(const ByteMasks& masks) {
    std::uint64_t blocks = 0;
    for (std::size_t b = 0; b < blocks_per_page; ++b)
        blocks |= std::uint64_t{masks.block[b] != 0} << b;
    return blocks;
}

// Where a page is counted that is coded as a difference.
std::uint64_t& count_of(EpochCounts& counts, Kind kind) {
    if (kind == Kind::delta_candidate) return counts.candidate;
    if (kind == Kind::delta_self) return counts.self;
    return kind == Kind::delta_repeat ? counts.repeat : counts.from_zero;
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
            if (pages[i].pfn.value() >= store_.guest_pages() ||
                (i != 0 && pages[i - 1].pfn >= pages[i].pfn))
                throw std::invalid_argument("pages of an epoch must ascend and lie in the guest");
        pending_.clear();
        changes_.resize(pages.size());
        for (Lane& lane : lanes_) lane.counts = {};
        const bool tries = traits_.chunk.has_history() && until_trial_ == 0;
        const bool remember = tries || history_ == History::with;
        const std::size_t count = chunk_count(pages.size(), remember);
        chunks_.resize(count);
        reserve(pages.size() * page_bound + count * header_bound);
        // Another chunk is tried each time, because the parts of a guest's memory differ.
        const std::size_t on_trial = tries && count != 0 ? trials_ % count : count;
        trial_ = {};
        workers_.each(count, [&](unsigned worker, std::size_t c) {
            const std::size_t first = pages.size() * c / count;
            const std::size_t last = pages.size() * (c + 1) / count;
            Lane& lane = lanes_[worker];
            lane.writer.begin(pages[first].pfn, remember);
            encode_pages(lane, pages.subspan(first, last - first), changes_.data() + first);
            chunks_[c] = std::as_bytes(
                lane.coder.code(lane.writer, c == on_trial ? History::both : history_,
                                coded_.get() + first * page_bound + c * header_bound));
            if (c == on_trial) trial_ = lane.coder.trial();
        });
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
        std::byte* to;               // where the slot is
        SimilarityIndex::Keys keys;  // if fresh
    };

    struct Lane {
        Lane(const Kernels& kernels, const ChunkTraits& traits)
            : writer(kernels, traits), coder(traits), own(traits.chunk_pages) {}
        PageWriter writer;
        ChunkCoder coder;
        EpochCounts counts;
        std::vector<std::uint32_t> own;
        ByteMasks best;
        ByteMasks other;
    };

    // The cheapest way found so far to code a page.
    struct Choice {
        Kind kind;
        std::uint32_t cost;           // literals
        ByteMasks* masks;             // of them
        ByteMasks* spare;             // where another comparison leaves its masks
        std::uint32_t reference = 0;  // slot, for Kind::delta_candidate

        // Takes the way whose masks are in `spare` if it costs less.
        void consider(Kind other, std::uint32_t other_cost) noexcept {
            if (other_cost >= cost) return;
            std::swap(masks, spare);
            kind = other;
            cost = other_cost;
        }
    };

    // How many chunks an epoch becomes, of equal numbers of pages. It does not depend on the
    // threads, but shall give two of them equal work. With history chunks are as large as they may
    // be: it is worth the more the more there is of it.
    std::size_t chunk_count(std::size_t pages, bool with_history) const {
        const ChunkTraits& traits = traits_.chunk;
        const std::size_t most = with_history ? traits.chunk_pages : traits.pages_without_history;
        const std::size_t count = (pages + most - 1) / most;
        return count < 2 ? count : count + count % 2;
    }

    void reserve(std::size_t coded_size) {
        if (coded_size <= coded_size_) return;
        coded_size_ = coded_size + coded_size / 2;
        coded_ = std::make_unique_for_overwrite<std::uint8_t[]>(coded_size_);
    }

    void encode_pages(Lane& lane, std::span<const PageIn> pages, Change* changes) noexcept {
        // The look-ups first, so that none waits for another.
        for (std::size_t i = 0; i < pages.size(); ++i) lane.own[i] = store_.find(pages[i].pfn);
        for (std::size_t i = 0; i < pages.size(); ++i) {
            if (i + 1 < pages.size()) {
                prefetch_page(pages[i + 1].data);
                if (lane.own[i + 1] != PageStore::no_slot)
                    prefetch_page(store_.page(lane.own[i + 1]));
            }
            encode_page(lane, pages[i], lane.own[i], changes[i]);
        }
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

    void encode_page(Lane& lane, const PageIn& page, std::uint32_t own, Change& change) noexcept {
        const std::uint8_t* const data = octets(page.data);
        const std::uint8_t* const own_page =
            own == PageStore::no_slot ? nullptr : octets(store_.page(own));
        change.blocks = all_blocks;
        change.held = own_page != nullptr;
        change.fresh = false;
        Choice choice = compare(lane, data, own_page);
        if (choice.cost == 0) return write_equal(lane, page.pfn, choice.kind, change);
        if (choice.cost >= traits_.try_zero) {
            // Fewer literals in more ragged masks: worth it only if they are a good deal fewer.
            const std::uint32_t unrepeated = kernels_.unrepeated(data, *choice.spare);
            choice.consider(Kind::delta_repeat, unrepeated + unrepeated / 8);
        }
        const bool heavy = choice.cost >= traits_.try_similar;
        change.fresh = heavy || own_page == nullptr;
        if (index_ && change.fresh) {
            change.keys = SimilarityIndex::keys_of(data);
            if (heavy) compare_with_similar(data, change.keys, choice);
        }
        ++count_of(lane.counts, choice.kind);
        if (choice.kind == Kind::delta_self) change.blocks = changed_blocks(*choice.masks);
        if (choice.cost == 0)
            lane.writer.copy(page.pfn, choice.reference);
        else
            lane.writer.delta(page.pfn, choice.kind, choice.reference, data, own_page,
                              *choice.masks);
    }

    // The page against its own last version, null if it has none, and against zeros.
    Choice compare(Lane& lane, const std::uint8_t* data, const std::uint8_t* own) const noexcept {
        if (own == nullptr)
            return {Kind::delta_zero, kernels_.nonzero(data, lane.best), &lane.best, &lane.other};
        Choice choice{Kind::delta_self, kernels_.differ(data, own, lane.best), &lane.best,
                      &lane.other};
        if (choice.cost >= traits_.try_zero)
            choice.consider(Kind::delta_zero, kernels_.nonzero(data, *choice.spare));
        return choice;
    }

    // Writes a page that is equal to its own last version, or to zeros.
    static void write_equal(Lane& lane, Pfn pfn, Kind kind, Change& change) noexcept {
        if (kind == Kind::delta_self) {
            ++lane.counts.same;
            lane.writer.same(pfn);
            change.blocks = 0;
        } else {
            ++lane.counts.zero;
            lane.writer.zero(pfn);
        }
    }

    void compare_with_similar(const std::uint8_t* data, const SimilarityIndex::Keys& keys,
                              Choice& choice) const noexcept {
        const auto candidates = index_->find(keys, traits_.candidates);
        for (std::size_t c = 0; c < candidates.count; ++c)
            prefetch_page(store_.page(candidates.slot[c]));
        for (std::size_t c = 0; c < candidates.count && choice.cost != 0; ++c) {
            const std::uint32_t slot = candidates.slot[c];
            const std::uint32_t cost =
                kernels_.differ(data, octets(store_.page(slot)), *choice.spare);
            // The reference takes two to four bytes of its own. With history most of what a
            // candidate spares would be found there too, and a stranger's literals between would
            // cost matches.
            const std::uint32_t saved = history_ == History::with ? choice.cost / 2 : 4;
            if (cost + saved >= choice.cost) continue;
            choice.consider(Kind::delta_candidate, cost);
            choice.reference = slot;
        }
    }

    const LevelTraits traits_;
    const Kernels& kernels_;
    PageStore store_;
    std::optional<SimilarityIndex> index_;
    Workers workers_;
    std::deque<Lane> lanes_;
    std::vector<PageIn> pending_;
    std::vector<Change> changes_;
    std::unique_ptr<std::uint8_t[]> coded_;
    std::size_t coded_size_ = 0;
    std::vector<Chunk> chunks_;
    History history_ = History::without;
    ChunkCoder::Trial trial_;  // written by the one thread that has the chunk on trial
    std::uint64_t trials_ = 0;
    unsigned until_trial_ = 0;  // epochs
};

EpochEncoder::EpochEncoder(const EncoderOptions& options)
    : impl_(std::make_unique<Impl>(options)) {}
EpochEncoder::~EpochEncoder() = default;
std::span<const Chunk> EpochEncoder::encode(std::span<const PageIn> pages) {
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
