// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "codec/page_store.hpp"
#include "pages.hpp"

namespace replication::codec::test {

// The page store, written from docs/specs/page-coding.md alone.
class StoreModel {
  public:
    explicit StoreModel(std::uint32_t slots) : slots_(slots) {}

    void commit(const std::map<std::uint32_t, Page>& epoch) {
        std::vector<std::uint32_t> others;
        for (const auto& [pfn, page] : epoch) {
            if (const auto slot = find(pfn)) {
                slots_[*slot].page = page;
                slots_[*slot].used = true;
            } else {
                others.push_back(pfn);
            }
        }
        for (const std::uint32_t pfn : others) slots_[victim()] = {pfn, epoch.at(pfn), false};
    }

    // Whether `store` holds the same versions of the same pages in the same slots.
    bool equals(const PageStore& store) const {
        for (std::uint32_t pfn = 0; pfn < store.guest_pages(); ++pfn) {
            const std::uint32_t slot = store.find(Pfn(pfn));
            if (slot != find(pfn).value_or(PageStore::no_slot)) return false;
            if (slot == PageStore::no_slot) continue;
            if (std::memcmp(store.page(slot), slots_[slot].page.data(), page_size) != 0)
                return false;
        }
        return true;
    }

  private:
    struct Slot {
        std::optional<std::uint32_t> pfn;
        Page page;
        bool used = false;
    };
    std::optional<std::uint32_t> find(std::uint32_t pfn) const {
        for (std::uint32_t slot = 0; slot < slots_.size(); ++slot)
            if (slots_[slot].pfn == pfn) return slot;
        return std::nullopt;
    }
    std::uint32_t victim() {
        for (std::uint32_t slot = 0; slot < slots_.size(); ++slot)
            if (!slots_[slot].pfn) return slot;
        for (;;) {
            const std::uint32_t slot = hand_;
            hand_ = (hand_ + 1) % static_cast<std::uint32_t>(slots_.size());
            if (!slots_[slot].used) return slot;
            slots_[slot].used = false;
        }
    }

    std::vector<Slot> slots_;
    std::uint32_t hand_ = 0;
};

}  // namespace replication::codec::test
