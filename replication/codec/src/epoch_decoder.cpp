// SPDX-License-Identifier: GPL-2.0-only
#include "codec/epoch_decoder.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <vector>

#include "blocks.hpp"
#include "chunk_reader.hpp"
#include "codec/workers.hpp"
#include "octets.hpp"

namespace replication::codec {

class EpochDecoder::Impl {
  public:
    explicit Impl(const EpochOptions& options)
        : store_(options.store_slots, options.guest_pages), workers_(options.threads) {
        for (unsigned i = 0; i < options.threads; ++i) lanes_.emplace_back(kernels(options.isa));
    }

    Status decode(std::span<const Chunk> chunks) {
        pages_.clear();
        first_.resize(chunks.size());
        status_.assign(chunks.size(), Status::ok);
        std::size_t total = 0;
        for (std::size_t c = 0; c < chunks.size(); ++c) {
            const std::size_t count = ChunkReader::peek_pages(chunks[c]);
            if (count == 0) return Status::bad_header;
            first_[c] = total;
            total += count;
        }
        // Pfns ascend, so more pages than the guest has cannot be right, and need no memory.
        if (total > store_.guest_pages()) return Status::bad_order;
        if (staged_pages_ < total) {
            staging_ = make_huge<std::byte>(total * page_size);
            staged_pages_ = total;
        }
        pages_.resize(total);
        held_.resize(total);
        to_.resize(total);
        workers_.each(chunks.size(), [&](unsigned worker, std::size_t c) {
            status_[c] = decode_chunk(lanes_[worker], chunks[c], first_[c]);
        });
        const Status status = verdict();
        if (status != Status::ok) pages_.clear();
        return status;
    }

    std::span<const PageOut> pages() const noexcept { return pages_; }

    void commit() noexcept {
        for (std::size_t i = 0; i < pages_.size(); ++i)
            if (held_[i]) to_[i] = store_.renew(pages_[i].pfn);
        workers_.each_range(pages_.size(), commit_grain, [&](std::size_t i) {
            if (held_[i]) pages_[i].write_to(to_[i]);
        });
        for (std::size_t i = 0; i < pages_.size(); ++i)
            if (!held_[i]) pages_[i].write_to(store_.assign(pages_[i].pfn));
        pages_.clear();
    }

    void abandon() noexcept { pages_.clear(); }

    const PageStore& store() const { return store_; }

  private:
    Status verdict() const noexcept {
        for (const Status status : status_)
            if (status != Status::ok) return status;
        for (std::size_t i = 1; i < pages_.size(); ++i)
            if (pages_[i - 1].pfn >= pages_[i].pfn) return Status::bad_order;
        return Status::ok;
    }

    struct Lane {
        explicit Lane(const Kernels& kernels) : reader(kernels) {}
        ChunkReader reader;
        std::array<ChunkReader::Head, max_chunk_pages> heads;
        std::array<const std::uint8_t*, max_chunk_pages> bases;
    };

    Status decode_chunk(Lane& lane, Chunk chunk, std::size_t first) noexcept {
        ChunkReader& reader = lane.reader;
        if (const Status status = reader.open(chunk); status != Status::ok) return status;
        const std::size_t count = reader.pages();
        for (std::size_t i = 0; i < count; ++i) {
            ChunkReader::Head& head = lane.heads[i];
            if (const Status status = reader.head(store_.guest_pages(), head); status != Status::ok)
                return status;
            const std::uint32_t own = store_.find(head.pfn);
            held_[first + i] = own != PageStore::no_slot;
            if (!find_base(head, own, lane.bases[i])) return Status::bad_reference;
            if (own != PageStore::no_slot) reader.add_history(head, octets(store_.page(own)));
        }
        if (const Status status = reader.open_literals(); status != Status::ok) return status;
        const auto prefetch = [&](std::size_t i) {
            if (lane.bases[i] != nullptr) prefetch_blocks(lane.bases[i], wanted_of(lane.heads[i]));
        };
        std::byte* out = staging_.get() + first * page_size;
        prefetch(0);
        for (std::size_t i = 0; i < count; ++i) {
            if (i + 1 < count) prefetch(i + 1);
            const ChunkReader::Head& head = lane.heads[i];
            const std::uint64_t wanted = wanted_of(head);
            if (const Status status = reader.content(head, lane.bases[i], wanted, octets(out));
                status != Status::ok)
                return status;
            pages_[first + i] = {head.pfn, wanted, out};
            out += static_cast<std::size_t>(std::popcount(wanted)) * 64;
        }
        return reader.close();
    }

    // What a page is rebuilt of: only against its own version is there anything that can be left as
    // it is.
    static std::uint64_t wanted_of(const ChunkReader::Head& head) noexcept {
        if (head.kind == Kind::same) return 0;
        return head.kind == Kind::delta_self ? head.differ : all_blocks;
    }

    // The page that a head refers to, null if it needs none; false if it is not there.
    bool find_base(const ChunkReader::Head& head, std::uint32_t own,
                   const std::uint8_t*& base) const noexcept {
        base = nullptr;
        std::uint32_t slot = own;
        switch (head.kind) {
            case Kind::zero:
            case Kind::delta_repeat:
            case Kind::raw:
                return true;
            case Kind::delta_zero:
                base = zero_page.data();
                return true;
            case Kind::same:
            case Kind::delta_self:
                break;
            case Kind::delta_candidate:
            case Kind::copy:
                slot = static_cast<std::uint32_t>(head.reference);
                break;
        }
        if (!store_.holds(slot)) return false;
        base = octets(store_.page(slot));
        return true;
    }

    PageStore store_;
    Workers workers_;
    std::deque<Lane> lanes_;
    HugeArray<std::byte> staging_;
    std::size_t staged_pages_ = 0;
    std::vector<PageOut> pages_;
    std::vector<std::uint8_t> held_;  // whether a page has a slot
    std::vector<std::byte*> to_;
    std::vector<std::size_t> first_;
    std::vector<Status> status_;
};

EpochDecoder::EpochDecoder(const EpochOptions& options) : impl_(std::make_unique<Impl>(options)) {}
EpochDecoder::~EpochDecoder() = default;
Status EpochDecoder::decode(std::span<const Chunk> chunks) {
    return impl_->decode(chunks);
}
std::span<const PageOut> EpochDecoder::pages() const noexcept {
    return impl_->pages();
}
void EpochDecoder::commit() noexcept {
    impl_->commit();
}
void EpochDecoder::abandon() noexcept {
    impl_->abandon();
}
const PageStore& EpochDecoder::store() const {
    return impl_->store();
}

}  // namespace replication::codec
