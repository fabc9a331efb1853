// SPDX-License-Identifier: GPL-2.0-only
#include "xen/pv_state.hpp"

#include <cstring>

#include "xen_c.hpp"

namespace warmvm {
namespace {

using Context = vcpu_guest_context_x86_64_t;
static_assert(sizeof(Context) == sizeof(vcpu_guest_context_t));

constexpr std::size_t gdt_entries_per_frame = 512;
constexpr std::uint64_t user_cr3_present = 1;

Context to_context(ByteView basic) {
    if (basic.size() != sizeof(Context)) {
        throw Error(StreamErrc::bad_length, "X86_PV_VCPU_BASIC");
    }
    Context context;
    std::memcpy(&context, basic.data(), sizeof(context));
    return context;
}

Bytes to_bytes(const Context& context) {
    Bytes bytes;
    append(bytes, context);
    return bytes;
}

std::size_t gdt_frames(const Context& context) {
    if (context.gdt_ents > FIRST_RESERVED_GDT_ENTRY) {
        throw Error(StreamErrc::bad_value, "a vcpu's GDT size");
    }
    return (context.gdt_ents + gdt_entries_per_frame - 1) / gdt_entries_per_frame;
}

std::uint64_t pfn_of(const FrameMap& frames, std::uint64_t mfn, const char* what) {
    const auto pfn = frames.pfn(Mfn(mfn));
    if (!pfn) throw Error(StreamErrc::bad_value, std::string(what) + " is not the guest's frame");
    return pfn->value();
}

std::uint64_t mfn_of(const FrameMap& frames, std::uint64_t pfn, const char* what) {
    const auto mfn = frames.mfn(Pfn(pfn));
    if (!mfn) throw Error(StreamErrc::bad_value, std::string(what) + " is not the guest's frame");
    return mfn->value();
}

start_info_t load(const Page& page) {
    start_info_t info;
    std::memcpy(&info, page.data(), sizeof(info));
    return info;
}

}  // namespace

Bytes canonicalise_vcpu(ByteView basic, VcpuId vcpu, const FrameMap& frames) {
    auto context = to_context(basic);
    if (vcpu == VcpuId(0)) {
        context.user_regs.rdx = pfn_of(frames, context.user_regs.rdx, "start_info");
    }
    for (std::size_t i = 0; i < gdt_frames(context); ++i) {
        context.gdt_frames[i] = pfn_of(frames, context.gdt_frames[i], "a GDT");
    }
    context.ctrlreg[3] = pfn_of(frames, context.ctrlreg[3] >> page_shift, "cr3") << page_shift;
    if (context.ctrlreg[1]) {
        context.ctrlreg[1] =
            user_cr3_present | pfn_of(frames, context.ctrlreg[1] >> page_shift, "user cr3")
                                   << page_shift;
    }
    return to_bytes(context);
}

Bytes localise_vcpu(ByteView basic, VcpuId vcpu, const FrameMap& frames) {
    auto context = to_context(basic);
    if (vcpu == VcpuId(0)) {
        context.user_regs.rdx = mfn_of(frames, context.user_regs.rdx, "start_info");
    }
    context.flags |= VGCF_online;
    for (std::size_t i = 0; i < gdt_frames(context); ++i) {
        context.gdt_frames[i] = mfn_of(frames, context.gdt_frames[i], "a GDT");
    }
    context.ctrlreg[3] = mfn_of(frames, context.ctrlreg[3] >> page_shift, "cr3") << page_shift;
    if (context.ctrlreg[1] & user_cr3_present) {
        context.ctrlreg[1] = mfn_of(frames, context.ctrlreg[1] >> page_shift, "user cr3")
                             << page_shift;
    }
    return to_bytes(context);
}

Pfn start_info_pfn(ByteView basic) {
    return Pfn(to_context(basic).user_regs.rdx);
}

StartInfoRings read_start_info(const Page& start_info) {
    const auto info = load(start_info);
    return {Pfn(info.store_mfn), Pfn(info.console.domU.mfn)};
}

void write_start_info(Page& start_info, const StartInfo& values) {
    auto info = load(start_info);
    info.nr_pages = values.nr_pages;
    info.shared_info = values.shared_info.value() << page_shift;
    info.flags = 0;
    info.store_mfn = values.store.value();
    info.store_evtchn = values.store_port.value();
    info.console.domU.mfn = values.console.value();
    info.console.domU.evtchn = values.console_port.value();
    std::memcpy(start_info.data(), &info, sizeof(info));
}

void write_start_info_rings(Page& start_info, const StartInfoRings& rings) {
    auto info = load(start_info);
    info.store_mfn = rings.store.value();
    info.console.domU.mfn = rings.console.value();
    std::memcpy(start_info.data(), &info, sizeof(info));
}

void merge_shared_info(Page& shared_info, ByteView saved) {
    if (saved.size() != page_size) throw Error(StreamErrc::bad_length, "SHARED_INFO");
    shared_info_t old;
    shared_info_t merged;
    std::memcpy(&old, saved.data(), sizeof(old));
    std::memcpy(&merged, shared_info.data(), sizeof(merged));
    std::memcpy(merged.vcpu_info, old.vcpu_info, sizeof(merged.vcpu_info));
    std::memcpy(&merged.arch, &old.arch, sizeof(merged.arch));
    merged.arch.pfn_to_mfn_frame_list_list = 0;
    std::memset(merged.evtchn_pending, 0, sizeof(merged.evtchn_pending));
    for (auto& vcpu : merged.vcpu_info) vcpu.evtchn_pending_sel = 0;
    std::memset(merged.evtchn_mask, 0xff, sizeof(merged.evtchn_mask));
    std::memcpy(shared_info.data(), &merged, sizeof(merged));
}

}  // namespace warmvm
