// SPDX-License-Identifier: GPL-2.0-only
#include "replay.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <stdexcept>

#include "rounds.hpp"
#include "trace/stopwatch.hpp"

namespace replication::bench {
namespace {

// Empties the caches by visiting more memory than any slice of a last-level cache that a virtual
// machine is likely to be given.
class CacheSweeper {
  public:
    void sweep() {
        for (std::size_t i = 0; i < memory_.size(); i += 64) memory_[i] ^= std::byte{1};
    }

  private:
    Bytes memory_ = Bytes(std::size_t{64} << 20);
};

std::size_t pfn_list_size(std::span<const std::uint32_t> pfns) {
    std::size_t size = 0;
    std::uint32_t next = 0;
    for (const std::uint32_t pfn : pfns) {
        for (std::uint32_t gap = pfn - next; gap >= 0x80; gap >>= 7) ++size;
        ++size;
        next = pfn + 1;
    }
    return size;
}

// Sends one epoch after the other through all coders.
class Replay {
  public:
    Replay(const trace::TraceFile& trace, const Coders& coders, const ReplayOptions& options)
        : coders_(coders),
          options_(options),
          stopwatch_(options.wall_clock),
          reference_(trace.guest_pages()) {
        for (const trace::TraceFile::Run& run : trace.first_image_runs())
            std::memcpy(reference_.page(run.first), trace.first_image(run.first),
                        std::size_t{run.pages} * page_size);
        std::size_t most = 1;
        for (const trace::TraceFile::Epoch& epoch : trace.epochs())
            most = std::max(most, epoch.pfns.size() * page_size);
        arena_ = codec::make_huge<std::byte>(most);
    }

    // The cost of each coder.
    std::vector<EpochCost> replay(const trace::TraceFile::Epoch& epoch) {
        const std::size_t size = epoch.pfns.size() * page_size;
        decoded_.resize(size);
        const EpochPages pages{epoch.pfns, {arena_.get(), size}};
        std::vector<EpochCost> costs(coders_.size(), EpochCost{.pages = epoch.pfns.size()});
        std::vector<Rounds> encoding(coders_.size(), Rounds(options_.wall_clock));
        std::vector<Rounds> decoding = encoding;
        for (unsigned repeat = 0; repeat < options_.repeats; ++repeat)
            for (std::size_t c = 0; c < coders_.size(); ++c) {
                costs[c].bytes = code(*coders_[c], epoch, pages, encoding[c], decoding[c]);
                if (repeat == 0) check(*coders_[c], epoch, pages);
            }
        const double update = update_reference(epoch, size);
        for (std::size_t c = 0; c < coders_.size(); ++c) {
            costs[c].encode_seconds = encoding[c].result();
            costs[c].decode_seconds = decoding[c].result();
            add_upkeep(*coders_[c], epoch, pages, update, costs[c]);
        }
        return costs;
    }

  private:
    void copy_out(const trace::TraceFile::Epoch& epoch) {
        caches_.sweep();
        std::memcpy(arena_.get(), epoch.data, epoch.pfns.size() * page_size);
    }

    // One round of one coder; returns the bytes that it sends.
    std::size_t code(Coder& coder, const trace::TraceFile::Epoch& epoch, const EpochPages& pages,
                     Rounds& encoding, Rounds& decoding) {
        copy_out(epoch);
        coder.prepare(pages, reference_);
        std::size_t bytes = 0;
        const double encode = stopwatch_.seconds([&] { bytes = coder.encode(pages, reference_); });
        encoding.add(encode + coder.foreign_seconds());
        bytes += coder.framing(pages);
        if (!coder.counts_pfns()) bytes += pfn_list_size(epoch.pfns);
        caches_.sweep();
        std::byte* out = coder.keeps() == Coder::Keeps::own ? nullptr : decoded_.data();
        const double decode = stopwatch_.seconds([&] { coder.decode(pages, reference_, out); });
        decoding.add(decode + coder.foreign_seconds());
        return bytes;
    }

    void check(Coder& coder, const trace::TraceFile::Epoch& epoch, const EpochPages& pages) {
        coder.decode(pages, reference_, decoded_.data());
        if (std::memcmp(decoded_.data(), epoch.data, pages.data.size()) != 0)
            throw std::runtime_error(coder.name() + ": decoded epoch differs");
    }

    // The reference is brought up to date right after coding, as by a backup that answers at once:
    // caches are warm. Returns the seconds it takes.
    double update_reference(const trace::TraceFile::Epoch& epoch, std::size_t size) {
        copy_out(epoch);
        for (std::size_t at = 0; at < size; at += page_size)
            std::memcpy(decoded_.data() + at, reference_.page(epoch.pfns[at / page_size]),
                        page_size);
        return stopwatch_.seconds([&] {
            for (std::size_t i = 0; i < epoch.pfns.size(); ++i)
                std::memcpy(reference_.page(epoch.pfns[i]), arena_.get() + i * page_size,
                            page_size);
        });
    }

    void add_upkeep(Coder& coder, const trace::TraceFile::Epoch& epoch, const EpochPages& pages,
                    double update, EpochCost& cost) {
        switch (coder.keeps()) {
            case Coder::Keeps::nothing:
                break;
            case Coder::Keeps::shared:
                cost.encode_seconds += update;
                cost.decode_seconds += update;
                break;
            case Coder::Keeps::own:
                copy_out(epoch);
                coder.prepare(pages, reference_);
                coder.encode(pages, reference_);
                cost.encode_seconds += stopwatch_.seconds([&] { coder.commit_sent(); });
                coder.decode(pages, reference_, nullptr);
                cost.decode_seconds += stopwatch_.seconds([&] { coder.commit_received(); });
                break;
        }
    }

    const Coders& coders_;
    ReplayOptions options_;
    trace::Stopwatch stopwatch_;
    ReferenceImage reference_;
    CacheSweeper caches_;
    // The copy-out area, in huge pages, as a real sender has it.
    codec::HugeArray<std::byte> arena_;
    Bytes decoded_;
};

template <typename Of>
double sum(const std::vector<EpochCost>& epochs, Of of) {
    return std::accumulate(epochs.begin(), epochs.end(), 0.0,
                           [&](double total, const EpochCost& epoch) {
                               return total + static_cast<double>(of(epoch));
                           });
}

}  // namespace

double ReplayResult::raw_bytes() const {
    return sum(epochs, [](const EpochCost& e) { return e.pages; }) * static_cast<double>(page_size);
}
double ReplayResult::ratio() const {
    return raw_bytes() / sum(epochs, [](const EpochCost& e) { return e.bytes; });
}
double ReplayResult::encode_rate() const {
    return raw_bytes() / sum(epochs, [](const EpochCost& e) { return e.encode_seconds; });
}
double ReplayResult::decode_rate() const {
    return raw_bytes() / sum(epochs, [](const EpochCost& e) { return e.decode_seconds; });
}

std::vector<ReplayResult> replay(const trace::TraceFile& trace, const Coders& coders,
                                 const ReplayOptions& options) {
    Replay replay(trace, coders, options);
    std::vector<ReplayResult> results;
    for (const auto& coder : coders) results.push_back({coder->name(), {}});
    std::size_t left = options.max_epochs;
    for (const trace::TraceFile::Epoch& epoch : trace.epochs()) {
        if (epoch.pfns.empty()) continue;
        if (left-- == 0) break;
        const std::vector<EpochCost> costs = replay.replay(epoch);
        for (std::size_t c = 0; c < coders.size(); ++c) results[c].epochs.push_back(costs[c]);
    }
    return results;
}

}  // namespace replication::bench
