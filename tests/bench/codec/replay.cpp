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

// Larger than any last-level cache slice a virtual machine is likely to be given.
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
    ReferenceImage reference(trace.guest_pages());
    for (const trace::TraceFile::Run& run : trace.first_image_runs())
        std::memcpy(reference.page(run.first), trace.first_image(run.first),
                    std::size_t{run.pages} * page_size);

    const trace::Stopwatch stopwatch(options.wall_clock);
    CacheSweeper caches;
    std::vector<ReplayResult> results;
    for (const auto& coder : coders) results.push_back({coder->name(), {}});
    std::size_t most = 1;
    for (const trace::TraceFile::Epoch& epoch : trace.epochs())
        most = std::max(most, epoch.pfns.size() * page_size);
    // Huge pages, as a real sender takes for its copy-out.
    const codec::HugeArray<std::byte> arena = codec::make_huge<std::byte>(most);
    Bytes decoded;

    std::size_t left = options.max_epochs;
    for (const trace::TraceFile::Epoch& epoch : trace.epochs()) {
        if (epoch.pfns.empty()) continue;
        if (left-- == 0) break;
        const std::size_t size = epoch.pfns.size() * page_size;
        decoded.resize(size);
        const EpochPages pages{epoch.pfns, {arena.get(), size}};
        const auto copy_out = [&] {
            caches.sweep();
            std::memcpy(arena.get(), epoch.data, size);
        };
        const std::size_t list_size = pfn_list_size(epoch.pfns);
        for (auto& result : results) result.epochs.push_back({epoch.pfns.size(), 0, 0, 0});
        std::vector<Rounds> encoding(coders.size(), Rounds(options.wall_clock));
        std::vector<Rounds> decoding = encoding;
        for (unsigned repeat = 0; repeat < options.repeats; ++repeat) {
            for (std::size_t c = 0; c < coders.size(); ++c) {
                Coder& coder = *coders[c];
                EpochCost& cost = results[c].epochs.back();
                copy_out();
                coder.prepare(pages, reference);
                const double encode =
                    stopwatch.seconds([&] { cost.bytes = coder.encode(pages, reference); });
                encoding[c].add(encode + coder.foreign_seconds());
                cost.bytes += coder.framing(pages);
                if (!coder.counts_pfns()) cost.bytes += list_size;
                caches.sweep();
                std::byte* out = coder.keeps() == Coder::Keeps::own ? nullptr : decoded.data();
                const double decode =
                    stopwatch.seconds([&] { coder.decode(pages, reference, out); });
                decoding[c].add(decode + coder.foreign_seconds());
                if (repeat != 0) continue;
                coder.decode(pages, reference, decoded.data());
                if (std::memcmp(decoded.data(), epoch.data, size) != 0)
                    throw std::runtime_error(coder.name() + ": decoded epoch differs");
            }
        }
        // The reference is brought up to date right after coding, as by a backup that answers at
        // once: caches are warm.
        copy_out();
        for (std::size_t i = 0; i < epoch.pfns.size(); ++i)
            std::memcpy(decoded.data() + i * page_size, reference.page(epoch.pfns[i]), page_size);
        const double update = stopwatch.seconds([&] {
            for (std::size_t i = 0; i < epoch.pfns.size(); ++i)
                std::memcpy(reference.page(epoch.pfns[i]), arena.get() + i * page_size, page_size);
        });
        for (std::size_t c = 0; c < coders.size(); ++c) {
            Coder& coder = *coders[c];
            EpochCost& cost = results[c].epochs.back();
            cost.encode_seconds = encoding[c].result();
            cost.decode_seconds = decoding[c].result();
            switch (coder.keeps()) {
                case Coder::Keeps::nothing:
                    break;
                case Coder::Keeps::shared:
                    cost.encode_seconds += update;
                    cost.decode_seconds += update;
                    break;
                case Coder::Keeps::own:
                    copy_out();
                    coder.prepare(pages, reference);
                    coder.encode(pages, reference);
                    cost.encode_seconds += stopwatch.seconds([&] { coder.commit_sent(); });
                    coder.decode(pages, reference, nullptr);
                    cost.decode_seconds += stopwatch.seconds([&] { coder.commit_received(); });
                    break;
            }
        }
    }
    return results;
}

}  // namespace replication::bench
