// SPDX-License-Identifier: GPL-2.0-only
#include "xen/pv_p2m.hpp"

#include <algorithm>
#include <cstring>
#include <map>

#include "base/bytes.hpp"
#include "xen_c.hpp"

namespace warmvm {
namespace {

constexpr unsigned table_bits = 9;
constexpr std::uint64_t entries = page_size / sizeof(std::uint64_t);
constexpr std::uint64_t address_mask = 0x000ffffffffff000;
constexpr std::uint64_t present = 1;
constexpr std::uint64_t virtual_mask = 0x0000ffffffffffff;
// This is a terabyte of guest; the record's pfns are 32 bits wide anyway.
constexpr std::uint64_t max_guest_pfn = std::uint64_t{1} << 28;

class Walker {
  public:
    Walker(GuestMemory& memory, DomId domain, const PfnOf& pfn_of)
        : memory_(memory), domain_(domain), pfn_of_(pfn_of) {}

    // An entry of a table or list page, which must be the guest's own.
    std::uint64_t entry(std::uint64_t mfn, std::uint64_t index) {
        auto found = pages_.find(mfn);
        if (found == pages_.end()) {
            found = pages_.emplace(mfn, memory_.read(domain_, Gfn(owned(mfn).value()))).first;
        }
        return load_at<std::uint64_t>(found->second, index * sizeof(std::uint64_t));
    }

    Mfn owned(std::uint64_t mfn) const {
        if (!pfn_of_(Mfn(mfn))) {
            throw Error(StreamErrc::bad_value, "p2m: a frame is not the guest's");
        }
        return Mfn(mfn);
    }

    // The table at level (1: L1) for a virtual address, from the L4 at root; its mfn.
    std::uint64_t table(std::uint64_t root, std::uint64_t address, unsigned level) {
        auto mfn = root;
        for (unsigned at = 4; at > level; --at) {
            const auto pte = entry(mfn, index(address, at));
            if (!(pte & present)) throw Error(StreamErrc::bad_value, "p2m: not mapped");
            mfn = (pte & address_mask) >> page_shift;
        }
        return mfn;
    }

    static std::uint64_t index(std::uint64_t address, unsigned level) {
        return (address & virtual_mask) >> (page_shift + (level - 1) * table_bits) & (entries - 1);
    }

  private:
    GuestMemory& memory_;
    DomId domain_;
    const PfnOf& pfn_of_;
    std::map<std::uint64_t, Page> pages_;
};

// Linux maps the whole virtual range of the list and lets its tail share one table of invalid
// entries: the list ends where the last run of equal L2 entries begins.
std::uint64_t used_leaves(Walker& walker, std::uint64_t root, std::uint64_t start,
                          std::uint64_t leaves) {
    constexpr std::uint64_t leaves_per_table = entries;
    std::uint64_t last_change = 0;
    std::uint64_t last_table = 0;
    const auto first_index = start >> (page_shift + table_bits);
    const auto last_index = (start + leaves * page_size - 1) >> (page_shift + table_bits);
    for (auto i = first_index; i <= last_index; ++i) {
        const auto table = walker.table(root, i << (page_shift + table_bits), 1);
        if (table != last_table) {
            last_table = table;
            last_change = i - first_index;
        }
    }
    const auto before =
        (start >> page_shift) % leaves_per_table;  // leaves of the first table cut off
    const bool shared_tail = last_change != last_index - first_index;
    const auto tables = shared_tail ? std::max<std::uint64_t>(last_change, 1) : last_change + 1;
    return std::min(leaves, tables * leaves_per_table - before);
}

P2mLeaves by_page_tables(Walker& walker, const arch_shared_info_t& arch, std::uint64_t max_pfn) {
    const auto root = arch.p2m_cr3 >> page_shift;
    auto leaves = used_leaves(walker, root, arch.p2m_vaddr, max_pfn / entries + 1);
    P2mLeaves found;
    found.max_pfn =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(max_pfn, leaves * entries - 1));
    for (std::uint64_t i = 0; i < leaves; ++i) {
        const auto address = arch.p2m_vaddr + i * page_size;
        const auto pte = walker.entry(walker.table(root, address, 1), Walker::index(address, 1));
        if (!(pte & present)) throw Error(StreamErrc::bad_value, "p2m: not mapped");
        found.frames.push_back(walker.owned((pte & address_mask) >> page_shift));
    }
    return found;
}

P2mLeaves by_frame_list(Walker& walker, std::uint64_t top, std::uint64_t max_pfn) {
    if (max_pfn >= entries * entries * entries) {
        throw Error(StreamErrc::too_big, "p2m: too large for a frame list");
    }
    P2mLeaves found;
    found.max_pfn = static_cast<std::uint32_t>(max_pfn);
    for (std::uint64_t i = 0; i <= max_pfn / entries; ++i) {
        const auto middle = walker.entry(top, i / entries);
        found.frames.push_back(walker.owned(walker.entry(middle, i % entries)));
    }
    return found;
}

}  // namespace

P2mLeaves find_p2m_leaves(GuestMemory& memory, DomId domain, const Page& shared_info,
                          const PfnOf& pfn_of) {
    shared_info_t info;
    std::memcpy(&info, shared_info.data(), sizeof(info));
    if (info.arch.max_pfn == 0) throw Error(StreamErrc::bad_value, "p2m: the guest has none");
    Walker walker(memory, domain, pfn_of);
    // A list of more than max_guest_pfn entries is only the room Linux leaves for hotplug.
    const auto max_pfn = std::min<std::uint64_t>(info.arch.max_pfn - 1, max_guest_pfn - 1);
    return info.arch.p2m_cr3 ? by_page_tables(walker, info.arch, max_pfn)
                             : by_frame_list(walker, info.arch.pfn_to_mfn_frame_list_list, max_pfn);
}

}  // namespace warmvm
