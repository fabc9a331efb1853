// SPDX-License-Identifier: GPL-2.0-only
// The order of records is that of xg_sr_save.c, with the guest's record where PAGE_DATA would be.
#include "preserved/save_preserved.hpp"

#include <array>

#include "base/fault.hpp"
#include "base/tsc.hpp"
#include "guest/guest_image.hpp"
#include "preserved/guest_record.hpp"
#include "xen/frame_map.hpp"
#include "xen/hvm_param.hpp"
#include "xen/pv_p2m.hpp"
#include "xen/pv_state.hpp"

namespace warmvm {
namespace {

// xg_sr_save_x86_hvm.c: write_hvm_params.
constexpr std::array<std::uint64_t, 16> saved_hvm_params{
    hvm_param::store_pfn,
    hvm_param::ioreq_pfn,
    hvm_param::bufioreq_pfn,
    hvm_param::paging_ring_pfn,
    hvm_param::monitor_ring_pfn,
    hvm_param::sharing_ring_pfn,
    hvm_param::vm86_tss_sized,
    hvm_param::console_pfn,
    hvm_param::acpi_ioports_location,
    hvm_param::viridian,
    hvm_param::ident_pt,
    hvm_param::vm_generation_id_addr,
    hvm_param::ioreq_server_pfn,
    hvm_param::nr_ioreq_server_pages,
    hvm_param::x87_fip_width,
    hvm_param::mca_cap,
};

void add(GuestImage& image, RecordType type, Bytes body) {
    image.records.push_back({type, std::move(body)});
}

void add_static_data(GuestImage& image, const CpuPolicy& policy) {
    if (image.is_pv) add(image, RecordType::x86_pv_info, encode_pv_info());
    if (!policy.cpuid.empty()) add(image, RecordType::x86_cpuid_policy, policy.cpuid);
    if (!policy.msrs.empty()) add(image, RecordType::x86_msr_policy, policy.msrs);
    add(image, RecordType::static_data_end, {});
}

void add_hvm_state(const HelperPorts& ports, const DomainInfo& info, GuestRecord& record,
                   GuestImage& image) {
    std::vector<HvmParam> params;
    for (const auto index : saved_hvm_params) {
        const auto value = ports.context.hvm_param(info.id, index);
        if (value != 0) params.push_back({index, value});
        if (index == hvm_param::store_pfn) record.store_gfn = value;
        if (index == hvm_param::console_pfn) record.console_gfn = value;
    }
    add(image, RecordType::preserved_memory, encode(record));
    add(image, RecordType::x86_tsc_info, encode(ports.context.tsc_info(info.id)));
    add(image, RecordType::hvm_context, ports.context.hvm_context(info.id));
    if (!params.empty()) add(image, RecordType::hvm_params, encode(params));
}

void add_pv_state(const HelperPorts& ports, const DomainInfo& info, GuestRecord& record,
                  GuestImage& image) {
    const FrameMap frames(ports.preserved.extents(record.set));
    const auto shared_info = ports.memory.read(info.id, Gfn(info.shared_info.value()));
    const auto leaves = find_p2m_leaves(ports.memory, info.id, shared_info,
                                        [&](Mfn mfn) { return frames.pfn(mfn); });
    P2mFrames p2m{leaves.max_pfn, {}};
    for (const auto frame : leaves.frames) p2m.pfns.push_back(frames.pfn(frame).value());
    add(image, RecordType::x86_pv_p2m_frames, encode(p2m));

    std::vector<Record> vcpus;
    for (std::uint32_t i = 0; i <= info.max_vcpu_id; ++i) {
        const VcpuId id(i);
        const auto vcpu = ports.context.vcpu(info.id, id);
        if (!vcpu) continue;
        const auto basic = canonicalise_vcpu(vcpu->basic, id, frames);
        if (i == 0) record.start_info_pfn = start_info_pfn(basic).value();
        vcpus.push_back({RecordType::x86_pv_vcpu_basic, encode(id, basic)});
        const auto optional = [&](RecordType type, const Bytes& context) {
            if (!context.empty()) vcpus.push_back({type, encode(id, context)});
        };
        optional(RecordType::x86_pv_vcpu_extended, vcpu->extended);
        optional(RecordType::x86_pv_vcpu_xsave, vcpu->xsave);
        optional(RecordType::x86_pv_vcpu_msrs, vcpu->msrs);
    }

    const auto start_info_mfn = frames.mfn(Pfn(record.start_info_pfn));
    if (!start_info_mfn) throw Error(StreamErrc::bad_value, "start_info is not the guest's frame");
    const auto rings = read_start_info(ports.memory.read(info.id, Gfn(start_info_mfn->value())));
    record.store_gfn = rings.store.value();
    record.console_gfn = rings.console.value();

    add(image, RecordType::preserved_memory, encode(record));
    add(image, RecordType::x86_tsc_info, encode(ports.context.tsc_info(info.id)));
    add(image, RecordType::shared_info, Bytes(shared_info.begin(), shared_info.end()));
    for (auto& vcpu : vcpus) image.records.push_back(std::move(vcpu));
}

DomainInfo suspended(const HelperPorts& ports, DomId domain) {
    const auto info = ports.domains.info(domain);
    const auto name = str(domain);
    if (!info) throw Error::of(std::errc::no_such_process, name);
    if (!info->is_suspended()) {
        throw Error::of(std::errc::operation_canceled, name + " has not suspended");
    }
    return *info;
}

// Puts a set back (release) unless keep() was called: an unfinished freeze leaves the guest as it
// was.
class PreservedGuard {
  public:
    PreservedGuard(PreservedMemory& preserved, SetId set) : preserved_(preserved), set_(set) {}
    ~PreservedGuard() {
        if (kept_) return;
        try {
            preserved_.release(set_);
        } catch (...) {
            // The set stays listed as frozen; `roothammer recover` releases it.
        }
    }
    PreservedGuard(const PreservedGuard&) = delete;
    PreservedGuard& operator=(const PreservedGuard&) = delete;
    [[nodiscard]] SetId set() const { return set_; }
    void keep() { kept_ = true; }

  private:
    PreservedMemory& preserved_;
    SetId set_;
    bool kept_ = false;
};

}  // namespace

void save_preserved(const HelperPorts& ports, DomId domain, const std::function<void()>& hold,
                    const std::function<bool()>& suspend,
                    const std::function<void(ByteView)>& write) {
    fault_point("save-start");
    const auto before = ports.domains.info(domain);
    if (!before) {
        throw Error::of(std::errc::no_such_process, str(domain));
    }
    if (before->is_pv() && ports.context.pv_width(domain) != 8) {
        throw Error::of(std::errc::not_supported, "a 32-bit PV guest");
    }
    const auto version = ports.domains.version();
    GuestImage image{before->is_pv(),
                     static_cast<std::uint32_t>(version.major),
                     static_cast<std::uint32_t>(version.minor),
                     {}};
    add_static_data(image, ports.context.cpu_policy(domain));

    fault_point("save-before-suspend");
    hold();
    GuestRecord record;
    record.tsc_asked = read_tsc();
    if (!suspend()) throw Error::of(std::errc::timed_out, "the guest did not suspend");
    const auto info = suspended(ports, domain);
    record.tsc_suspended = read_tsc();
    fault_point("save-suspended");

    PreservedGuard set(ports.preserved, ports.preserved.preserve(domain));
    record.tsc_preserved = read_tsc();
    fault_point("save-preserved");

    record.set = set.set();
    record.domid = domain;
    record.uuid = info.uuid;
    record.frames = info.frames;
    if (info.is_pv()) {
        add_pv_state(ports, info, record, image);
    } else {
        add_hvm_state(ports, info, record, image);
    }
    fault_point("save-stream-built");
    write(encode(image));
    fault_point("save-stream-written");
    set.keep();
}

}  // namespace warmvm
