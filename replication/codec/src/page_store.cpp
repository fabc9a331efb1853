// SPDX-License-Identifier: GPL-2.0-only
#include "codec/page_store.hpp"

#include <stdexcept>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace replication::codec {

PageStore::PageStore(std::uint32_t slots, std::uint32_t guest_pages)
    : slots_(slots), slot_of_(guest_pages, no_slot), pfn_of_(slots), used_(slots) {
    if (slots == 0) throw std::invalid_argument("a page store needs at least one slot");
    pages_ = make_huge<std::byte>(std::size_t{slots} * page_size, Populate::now);
}

std::byte* PageStore::renew(Pfn pfn) noexcept {
    const std::uint32_t slot = find(pfn);
    used_[slot] = 1;
    return pages_.get() + std::size_t{slot} * page_size;
}

std::byte* PageStore::assign(Pfn pfn) noexcept {
    std::uint32_t& slot = slot_of_[pfn.value()];
    if (used_slots_ < slots_) {
        slot = used_slots_++;
    } else {
        while (used_[hand_] != 0) {
            used_[hand_] = 0;
            hand_ = (hand_ + 1) % slots_;
        }
        slot = hand_;
        hand_ = (hand_ + 1) % slots_;
        slot_of_[pfn_of_[slot]] = no_slot;
    }
    pfn_of_[slot] = static_cast<std::uint32_t>(pfn.value());
    used_[slot] = 0;
    return pages_.get() + std::size_t{slot} * page_size;
}

std::uint64_t PageStore::digest() const {
    std::uint64_t digest = XXH3_64bits_withSeed(&hand_, sizeof hand_, used_slots_);
    digest = XXH3_64bits_withSeed(pfn_of_.data(), used_slots_ * sizeof(std::uint32_t), digest);
    digest = XXH3_64bits_withSeed(used_.data(), used_slots_, digest);
    return XXH3_64bits_withSeed(pages_.get(), used_slots_ * page_size, digest);
}

}  // namespace replication::codec
