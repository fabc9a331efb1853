// SPDX-License-Identifier: GPL-2.0-only
// What a PV guest's state says in mfns, to and from pfns; and where its p2m is.
// Source: xg_sr_save_x86_pv.c (write_one_vcpu_basic, map_p2m), xg_sr_restore_x86_pv.c
// (process_vcpu_basic, process_start_info, handle_shared_info). 64-bit guests only.
#pragma once

#include <functional>

#include "warmvm/frame_map.hpp"
#include "warmvm/guest_context.hpp"
#include "warmvm/guest_image.hpp"

namespace warmvm {

// edx of vcpu 0 (its start_info), GDT frames, cr3 and the user cr3 become pfns.
Bytes canonicalise_vcpu(ByteView basic, VcpuId vcpu, const FrameMap& frames);
// ... and mfns again; VGCF_online is set. Throws Error of stream_category for a frame that is not
// the guest's.
Bytes localise_vcpu(ByteView basic, VcpuId vcpu, const FrameMap& frames);

// Of a canonicalised vcpu 0.
Pfn start_info_pfn(ByteView basic);

struct StartInfoRings {
    Pfn store;
    Pfn console;
};
// As a suspended guest leaves it: it has written pfns where mfns are at other times.
StartInfoRings read_start_info(const Page& start_info);

struct StartInfo {
    std::uint64_t nr_pages{};
    Mfn shared_info;
    Mfn store;
    Port store_port;
    Mfn console;
    Port console_port;
};
void write_start_info(Page& start_info, const StartInfo& values);

// For a save file: pfns, as the guest left them.
void write_start_info_rings(Page& start_info, const StartInfoRings& rings);

// The new domain's shared info page, from the saved one: vcpu_info and arch are the guest's, event
// channels are all new.
void merge_shared_info(Page& shared_info, ByteView saved);

// Finds the p2m's own pages by the page tables in shared_info (p2m_cr3), or by the older frame
// list. Every frame on the way must have a pfn.
using PfnOf = std::function<std::optional<Pfn>(Mfn)>;
struct P2mLeaves {
    std::uint32_t max_pfn{};  // inclusive
    std::vector<Mfn> frames;  // 512 entries each
};
P2mLeaves find_p2m_leaves(GuestMemory& memory, DomId domain, const Page& shared_info,
                          const PfnOf& pfn_of);
P2mFrames find_p2m(GuestMemory& memory, DomId domain, const Page& shared_info,
                   const FrameMap& frames);

}  // namespace warmvm
