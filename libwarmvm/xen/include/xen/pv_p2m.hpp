// SPDX-License-Identifier: GPL-2.0-only
// Where a PV guest keeps its p2m (xg_sr_save_x86_pv.c: map_p2m): for a rescued guest (stock restore
// rewrites it; after a warm reboot every mfn in it still holds), and for reading a running one's
// pages. 64-bit guests only.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "xen/guest_memory.hpp"
#include "xen/types.hpp"

namespace warmvm {

// Finds the p2m's own pages by the page tables in shared_info (p2m_cr3), or by the older frame
// list. Every frame on the way must have a pfn.
using PfnOf = std::function<std::optional<Pfn>(Mfn)>;
struct P2mLeaves {
    std::uint32_t max_pfn{};  // inclusive
    std::vector<Mfn> frames;  // 512 entries each
};
P2mLeaves find_p2m_leaves(GuestMemory& memory, DomId domain, const Page& shared_info,
                          const PfnOf& pfn_of);

}  // namespace warmvm
