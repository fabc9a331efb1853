// SPDX-License-Identifier: GPL-2.0-only
#include "codec/image_encoder.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <deque>
#include <limits>
#include <stdexcept>
#include <vector>

#include "chunk_coder.hpp"
#include "codec/huge_memory.hpp"
#include "codec/workers.hpp"
#include "level_traits.hpp"
#include "octets.hpp"
#include "page_writer.hpp"

namespace replication::codec {
namespace {

constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t zero = none - 1;

// With this many literals a page is compressed as it is: its masks would have to be as well.
constexpr std::uint32_t few_literals = 1024;

struct Known {
    std::uint64_t low;
    std::uint64_t high;
    std::uint64_t pfn_and_one;  // 0: free
};

}  // namespace

class ImageEncoder::Impl {
  public:
    explicit Impl(const ImageOptions& options)
        : guest_pages_(options.guest_pages),
          kernels_(kernels(options.isa)),
          // No more than the image can fill thinly.
          mask_(std::bit_ceil(
                    std::max(std::min<std::uint64_t>(options.remembered_pages,
                                                     std::uint64_t{8} * options.guest_pages),
                             std::uint64_t{1})) -
                1),
          known_(make_huge<Known>(mask_ + 1)),
          workers_(options.threads),
          hashes_(batch_pages),
          same_as_(batch_pages) {
        for (unsigned i = 0; i < options.threads; ++i) lanes_.emplace_back(kernels_, traits_);
        for (std::size_t c = 0; c * traits_.chunk_pages < batch_pages; ++c)
            coded_.push_back(std::make_unique_for_overwrite<std::uint8_t[]>(
                ChunkCoder::bound(traits_.chunk_pages)));
    }

    std::span<const Chunk> encode(std::span<const PageIn> pages) {
        if (pages.size() > batch_pages) throw std::invalid_argument("too many pages in a batch");
        for (const PageIn& page : pages) {
            if (page.pfn.value() < next_pfn_ || page.pfn.value() >= guest_pages_)
                throw std::invalid_argument("pages of an image must ascend and lie in the guest");
            next_pfn_ = page.pfn.value() + 1;
        }
        const std::size_t step = traits_.chunk_pages;
        const std::size_t count = (pages.size() + step - 1) / step;
        chunks_.resize(count);
        const auto each_part = [&](auto body) {
            workers_.each(count, [&](unsigned worker, std::size_t c) {
                body(worker, c, c * step, std::min(pages.size(), (c + 1) * step));
            });
        };
        each_part([&](unsigned, std::size_t, std::size_t first, std::size_t last) {
            for (std::size_t i = first; i < last; ++i) hash(pages[i], i);
        });
        // The table is filled in page order, whichever thread hashed first, so that it does not
        // depend on the threads.
        for (std::size_t i = 0; i < pages.size(); ++i)
            if (same_as_[i] != zero)
                same_as_[i] =
                    remember(hashes_[i], static_cast<std::uint32_t>(pages[i].pfn.value()));
        each_part([&](unsigned worker, std::size_t c, std::size_t first, std::size_t last) {
            Lane& lane = lanes_[worker];
            lane.writer.begin(pages[first].pfn, false);
            for (std::size_t i = first; i < last; ++i) encode_page(lane, pages[i], same_as_[i]);
            chunks_[c] = std::as_bytes(
                lane.coder.code(lane.writer, ChunkCoder::History::without, coded_[c].get()));
        });
        return chunks_;
    }

  private:
    struct Lane {
        Lane(const Kernels& kernels, const ChunkTraits& traits)
            : writer(kernels, traits), coder(traits) {}
        PageWriter writer;
        ChunkCoder coder;
        ByteMasks masks;
        ByteMasks other;
    };

    void hash(const PageIn& page, std::size_t i) noexcept {
        const std::uint8_t* const data = octets(page.data);
        if (data[0] == 0 && std::equal(data, data + page_size - 1, data + 1)) {
            same_as_[i] = zero;
            return;
        }
        same_as_[i] = none;
        hashes_[i] = XXH3_128bits(data, page_size);
    }

    // The pfn of an equal page, none if there is none or it is forgotten: then this one is
    // remembered.
    std::uint32_t remember(const XXH128_hash_t& hash, std::uint32_t pfn) noexcept {
        Known& known = known_[hash.low64 & mask_];
        if (known.pfn_and_one != 0 && known.low == hash.low64 && known.high == hash.high64)
            return static_cast<std::uint32_t>(known.pfn_and_one - 1);
        known = {hash.low64, hash.high64, std::uint64_t{pfn} + 1};
        return none;
    }

    void encode_page(Lane& lane, const PageIn& page, std::uint32_t same_as) noexcept {
        if (same_as == zero) return lane.writer.zero(page.pfn);
        if (same_as != none) return lane.writer.copy(page.pfn, same_as);
        const std::uint8_t* const data = octets(page.data);
        const std::uint32_t nonzero = kernels_.nonzero(data, lane.masks);
        const std::uint32_t unrepeated = kernels_.unrepeated(data, lane.other);
        // Fewer literals in more ragged masks: worth it only if they are a good deal fewer.
        if (unrepeated + unrepeated / 8 < std::min(nonzero, few_literals))
            lane.writer.delta(page.pfn, Kind::delta_repeat, 0, data, nullptr, lane.other);
        else if (nonzero < few_literals)
            lane.writer.delta(page.pfn, Kind::delta_zero, 0, data, nullptr, lane.masks);
        else
            lane.writer.raw(page.pfn, data);
    }

    const ChunkTraits traits_ = image_traits();
    std::uint32_t guest_pages_;
    const Kernels& kernels_;
    std::uint64_t mask_;
    HugeArray<Known> known_;
    Workers workers_;
    std::deque<Lane> lanes_;
    std::vector<XXH128_hash_t> hashes_;
    std::vector<std::uint32_t> same_as_;
    std::vector<std::unique_ptr<std::uint8_t[]>> coded_;
    std::vector<Chunk> chunks_;
    std::uint64_t next_pfn_ = 0;
};

ImageEncoder::ImageEncoder(const ImageOptions& options) : impl_(std::make_unique<Impl>(options)) {}
ImageEncoder::~ImageEncoder() = default;
std::span<const Chunk> ImageEncoder::encode(std::span<const PageIn> pages) {
    return impl_->encode(pages);
}

}  // namespace replication::codec
