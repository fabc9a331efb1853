// SPDX-License-Identifier: GPL-2.0-only
#include "codec/epoch_decoder.hpp"

#include <cstring>
#include <deque>
#include <vector>

#include "chunk_reader.hpp"
#include "codec/workers.hpp"

namespace replication::codec {

class EpochDecoder::Impl {
  public:
    explicit Impl(const EpochOptions& options)
        : store_(options.store_slots, options.guest_pages), workers_(options.threads) {
        for (unsigned i = 0; i < options.threads; ++i) readers_.emplace_back(kernels(options.isa));
    }

    Status decode(std::span<const EpochEncoder::Chunk> chunks) {
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
        if (staging_.size() < total * page_size) staging_.resize(total * page_size);
        pages_.resize(total);
        workers_.each(chunks.size(), [&](unsigned worker, std::size_t c) {
            status_[c] = decode_chunk(readers_[worker], chunks[c], first_[c]);
        });
        const Status status = verdict();
        if (status != Status::ok) pages_.clear();
        return status;
    }

    std::span<const PageOut> pages() const noexcept { return pages_; }

    void commit() noexcept {
        for (const PageOut& page : pages_)
            std::memcpy(store_.page(store_.assign(page.pfn)), page.data, page_size);
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

    Status decode_chunk(ChunkReader& reader, EpochEncoder::Chunk chunk, std::size_t first) noexcept {
        if (const Status status = reader.open(chunk); status != Status::ok) return status;
        for (std::size_t i = first; i < first + reader.pages(); ++i) {
            ChunkReader::Head head;
            if (const Status status = reader.head(store_.guest_pages(), head); status != Status::ok) return status;
            const std::uint8_t* base = nullptr;
            switch (head.kind) {
                case Kind::zero:
                case Kind::delta_repeat:
                case Kind::raw: break;
                case Kind::delta_zero: base = zero_page.data(); break;
                case Kind::same:
                case Kind::delta_self: {
                    const std::uint32_t own = store_.find(head.pfn);
                    if (own == PageStore::no_slot) return Status::bad_reference;
                    base = store_.page(own);
                    break;
                }
                case Kind::delta_candidate:
                case Kind::copy:
                    if (!store_.holds(static_cast<std::uint32_t>(head.reference))) return Status::bad_reference;
                    base = store_.page(static_cast<std::uint32_t>(head.reference));
                    break;
            }
            std::uint8_t* out = staging_.data() + i * page_size;
            if (const Status status = reader.content(head.kind, base, out); status != Status::ok) return status;
            pages_[i] = {head.pfn, out};
        }
        return reader.close();
    }

    PageStore store_;
    Workers workers_;
    std::deque<ChunkReader> readers_;
    std::vector<std::uint8_t> staging_;
    std::vector<PageOut> pages_;
    std::vector<std::size_t> first_;
    std::vector<Status> status_;
};

EpochDecoder::EpochDecoder(const EpochOptions& options) : impl_(std::make_unique<Impl>(options)) {}
EpochDecoder::~EpochDecoder() = default;
Status EpochDecoder::decode(std::span<const EpochEncoder::Chunk> chunks) { return impl_->decode(chunks); }
std::span<const PageOut> EpochDecoder::pages() const noexcept { return impl_->pages(); }
void EpochDecoder::commit() noexcept { impl_->commit(); }
void EpochDecoder::abandon() noexcept { impl_->abandon(); }
const PageStore& EpochDecoder::store() const { return impl_->store(); }

}  // namespace replication::codec
