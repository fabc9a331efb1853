// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "codec/huge_memory.hpp"
#include "codec/page.hpp"

namespace replication::codec {

// The last committed version of a bounded number of pages: what differences refer to. Both ends of
// a stream hold one of equal shape and put the same pages in the same order, so they are identical
// by construction (docs/specs/page-coding.md, "Reference pages of an epoch"). Memory: slots *
// (page_size + 5) + 4 * guest_pages bytes, all taken at construction.
class PageStore {
  public:
    static constexpr std::uint32_t no_slot = ~std::uint32_t{0};

    // `guest_pages` bounds the pfns that may be put. Throws std::bad_alloc, std::invalid_argument
    // for no slots.
    PageStore(std::uint32_t slots, std::uint32_t guest_pages);

    std::uint32_t slots() const { return slots_; }
    std::uint32_t guest_pages() const { return static_cast<std::uint32_t>(slot_of_.size()); }

    // Slot of a pfn, no_slot if it has none or lies outside the guest.
    std::uint32_t find(Pfn pfn) const {
        return pfn.value() < slot_of_.size() ? slot_of_[pfn.value()] : no_slot;
    }
    bool holds(std::uint32_t slot) const { return slot < used_slots_; }
    const std::byte* page(std::uint32_t slot) const { return pages_.get() + slot * page_size; }

    // An epoch commits in two passes: first every page that has a slot, by `renew`, then every
    // other, by `assign`; so no page loses its last version to another of the same epoch before it
    // is brought up to date. The content is the caller's to write; what `assign` returns holds
    // another page's or zeros. Precondition: find(pfn) has a slot, or has none and pfn <
    // guest_pages().
    std::byte* renew(Pfn pfn) noexcept;
    std::byte* assign(Pfn pfn) noexcept;

    // Equal for two stores exactly when pfns, slots and contents are (64-bit xxh3). Reads
    // everything: for tests.
    std::uint64_t digest() const;

  private:
    std::uint32_t slots_;
    std::uint32_t used_slots_ = 0;
    std::uint32_t hand_ = 0;
    std::vector<std::uint32_t> slot_of_;
    std::vector<std::uint32_t> pfn_of_;  // they are below guest_pages()
    std::vector<std::uint8_t> used_;
    HugeArray<std::byte> pages_;
};

}  // namespace replication::codec
