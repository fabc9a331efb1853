// SPDX-License-Identifier: GPL-2.0-only
// What a PV guest's state says in mfns, to and from pfns.
// Source: xg_sr_save_x86_pv.c (write_one_vcpu_basic), xg_sr_restore_x86_pv.c (process_vcpu_basic,
// process_start_info, handle_shared_info). 64-bit guests only.
#pragma once

#include "base/bytes.hpp"
#include "xen/frame_map.hpp"
#include "xen/types.hpp"

namespace warmvm {

// edx of vcpu 0 (its start_info), GDT frames, cr3 and the user cr3 become pfns.
Bytes canonicalise_vcpu(ByteView basic, VcpuId vcpu, const FrameMap& frames);
// ... and mfns again; VGCF_online is set. Throws Error of stream_category for a frame that is not
// the guest's.
Bytes localise_vcpu(ByteView basic, VcpuId vcpu, const FrameMap& frames);

// basic is a canonicalised vcpu 0's.
Pfn start_info_pfn(ByteView basic);

struct StartInfoRings {
    Pfn store;
    Pfn console;
};
// A suspended guest has left pfns in it where mfns are at other times.
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

// A save file has pfns there, as the guest left them.
void write_start_info_rings(Page& start_info, const StartInfoRings& rings);

// The new domain's shared info page, from the saved one: vcpu_info and arch are the guest's, event
// channels are all new.
void merge_shared_info(Page& shared_info, ByteView saved);

}  // namespace warmvm
