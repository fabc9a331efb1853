// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "codec/huge_memory.hpp"
#include "codec/page.hpp"

namespace replication::bench {

// The guest's memory as of the last committed epoch, one for all peers: reference(pfn).
class ReferenceImage {
  public:
    explicit ReferenceImage(std::uint32_t guest_pages)
        : pages_(codec::make_huge<std::byte>(std::size_t{guest_pages} * page_size,
                                             codec::Populate::now)) {}
    const std::byte* page(std::uint32_t pfn) const {
        return pages_.get() + std::size_t{pfn} * page_size;
    }
    std::byte* page(std::uint32_t pfn) { return pages_.get() + std::size_t{pfn} * page_size; }

  private:
    // In huge pages, as the codec's page store is: the peers shall not lose by TLB misses.
    codec::HugeArray<std::byte> pages_;
};

// An epoch as coders get it: the pages lie in `data` one after the other, as the copy-out of a
// paused guest leaves them.
struct EpochPages {
    std::span<const std::uint32_t> pfns;
    ByteView data;
};

// One way to send an epoch; ours and the peers. encode and decode are timed; both may be repeated.
class Coder {
  public:
    explicit Coder(std::string name) : name_(std::move(name)) {}
    virtual ~Coder() = default;
    const std::string& name() const { return name_; }

    // Does what a real sender would have done before; not timed.
    virtual void prepare(const EpochPages&, const ReferenceImage&) {}
    // Bytes on the wire for the page contents.
    virtual std::size_t encode(const EpochPages& epoch, const ReferenceImage& reference) = 0;
    // Rebuilds the pages in epoch order into `out`, which may be null for a coder that keeps them
    // itself.
    virtual void decode(const EpochPages& epoch, const ReferenceImage& reference,
                        std::byte* out) = 0;
    // What it needs of earlier epochs. Keeping that up to date is timed and charged as well: `own`
    // by the two commits, `shared` by what one update of ReferenceImage takes.
    enum class Keeps { nothing, shared, own };
    virtual Keeps keeps() const = 0;
    virtual void commit_sent() {}
    virtual void commit_received() {}
    // Bytes that travel around what was encoded last; not timed, and not in encode's figure.
    virtual std::size_t framing(const EpochPages&) { return 0; }
    // Whether encode's figure already holds the list of pfns.
    virtual bool counts_pfns() const { return false; }
    // CPU seconds that encode spent outside this process since the last call.
    virtual double foreign_seconds() { return 0; }

  private:
    std::string name_;
};

using Coders = std::vector<std::unique_ptr<Coder>>;

}  // namespace replication::bench
