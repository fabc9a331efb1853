// SPDX-License-Identifier: GPL-2.0-only
// Sets a new domain's state in the order of xg_sr_restore.c; where that fills memory, this adopts
// it. Frames keep their machine numbers, so page tables, p2m and descriptor tables hold as they are
// and nothing of the guest's is rewritten but the pages written_frames() names.
#include "preserved/restore_preserved.hpp"

#include <algorithm>
#include <map>

#include "base/fault.hpp"
#include "preserved/guest_record.hpp"
#include "xen/frame_map.hpp"
#include "xen/hvm_param.hpp"
#include "xen/pv_state.hpp"

namespace warmvm {
namespace {

const PreservedSet& find_set(const std::vector<PreservedSet>& sets, const GuestRecord& record,
                             bool is_pv) {
    const auto name = "set " + std::to_string(record.set.value());
    for (const auto& set : sets) {
        if (set.id != record.set) continue;
        if (set.state != SetState::inherited) {
            throw Error::of(std::errc::device_or_resource_busy,
                            name + " is " + std::string(describe(set.state)));
        }
        if (!(set.uuid == record.uuid) || set.frames != record.frames || set.is_pv != is_pv) {
            throw Error(StreamErrc::bad_value, name + " is another guest's");
        }
        return set;
    }
    throw Error::of(std::errc::no_such_file_or_directory, name);
}

void set_static_data(const HelperPorts& ports, DomId domain, const GuestImage& image,
                     const std::function<int(unsigned)>& static_data_done) {
    CpuPolicy policy;
    unsigned missing = 0;
    const auto take = [&](RecordType type, Bytes& into, unsigned flag) {
        if (const auto* record = image.find(type)) {
            into = record->body;
        } else {
            missing |= flag;
        }
    };
    take(RecordType::x86_cpuid_policy, policy.cpuid, missing_cpuid);
    take(RecordType::x86_msr_policy, policy.msrs, missing_msr);
    (void)image.get(RecordType::static_data_end);
    if (image.is_pv) check_pv_info(image.get(RecordType::x86_pv_info).body);
    if (!policy.cpuid.empty() || !policy.msrs.empty()) {
        ports.context.set_cpu_policy(domain, policy);
    }
    if (static_data_done(missing) != 0) {
        throw Error::of(std::errc::operation_canceled, "libxl's static_data_done failed");
    }
}

RestoreResults set_hvm_state(const HelperPorts& ports, DomId domain, const GuestImage& image,
                             const GuestRecord& record, const RestoreChannels& channels) {
    ports.context.set_tsc_info(domain, decode_tsc_info(image.get(RecordType::x86_tsc_info).body));
    RestoreResults results;
    for (const auto& param : decode_hvm_params(image.get(RecordType::hvm_params).body)) {
        switch (param.index) {
            case hvm_param::store_pfn:
                results.store_gfn = param.value;
                ports.memory.write(domain, Gfn(param.value), Page{});
                break;
            case hvm_param::console_pfn:
                results.console_gfn = param.value;
                ports.memory.write(domain, Gfn(param.value), Page{});
                break;
            case hvm_param::ioreq_pfn:
            case hvm_param::bufioreq_pfn:
                ports.memory.write(domain, Gfn(param.value), Page{});
                break;
            default:
                break;
        }
        ports.context.set_hvm_param(domain, param);
    }
    if (results.store_gfn != record.store_gfn || results.console_gfn != record.console_gfn) {
        throw Error(StreamErrc::bad_value, "HVM_PARAMS and the guest record disagree");
    }
    ports.context.set_hvm_param(domain, {hvm_param::store_evtchn, channels.store_port.value()});
    ports.context.set_hvm_param(domain, {hvm_param::console_evtchn, channels.console_port.value()});
    ports.context.set_hvm_context(domain, image.get(RecordType::hvm_context).body);
    return results;
}

Mfn mfn_of(const FrameMap& frames, std::uint64_t pfn, const char* what) {
    const auto mfn = frames.mfn(Pfn(pfn));
    if (!mfn) throw Error(StreamErrc::bad_value, std::string(what) + " is not the guest's frame");
    return *mfn;
}

std::map<VcpuId, VcpuContext> collect_vcpus(const GuestImage& image, std::uint32_t max_vcpu_id) {
    std::map<VcpuId, VcpuContext> vcpus;
    for (const auto& record : image.records) {
        Bytes VcpuContext::*part = nullptr;
        switch (record.type) {
            case RecordType::x86_pv_vcpu_basic:
                part = &VcpuContext::basic;
                break;
            case RecordType::x86_pv_vcpu_extended:
                part = &VcpuContext::extended;
                break;
            case RecordType::x86_pv_vcpu_xsave:
                part = &VcpuContext::xsave;
                break;
            case RecordType::x86_pv_vcpu_msrs:
                part = &VcpuContext::msrs;
                break;
            default:
                continue;
        }
        const auto [id, context] = decode_vcpu(record.body);
        if (id.value() > max_vcpu_id) throw Error(StreamErrc::bad_value, "vcpu's number");
        auto& bytes = vcpus[id].*part;
        if (!bytes.empty()) throw Error(StreamErrc::duplicate_record, "vcpu's context");
        bytes.assign(context.begin(), context.end());
    }
    if (!vcpus.contains(VcpuId(0))) throw Error(StreamErrc::missing_record, "vcpu0's context");
    for (const auto& [id, context] : vcpus) {
        if (context.basic.empty()) throw Error(StreamErrc::missing_record, "a vcpu's context");
    }
    return vcpus;
}

std::vector<PageTablePin> pins(const FrameMap& frames) {
    std::vector<PageTablePin> pins;
    for (const auto& extent : frames.extents()) {
        if (extent.pin) pins.push_back({extent.mfn, extent.pin});
    }
    return pins;
}

RestoreResults set_pv_state(const HelperPorts& ports, const DomainInfo& info,
                            const GuestImage& image, const GuestRecord& record,
                            const std::vector<Extent>& extents, const RestoreChannels& channels) {
    const FrameMap frames(extents);
    auto vcpus = collect_vcpus(image, info.max_vcpu_id);
    const auto p2m = decode_p2m_frames(image.get(RecordType::x86_pv_p2m_frames).body);
    const auto start_info = mfn_of(frames, record.start_info_pfn, "start_info");
    const auto store = mfn_of(frames, record.store_gfn, "the xenstore ring");
    const auto console = mfn_of(frames, record.console_gfn, "the console ring");
    if (start_info_pfn(vcpus.at(VcpuId(0)).basic) != Pfn(record.start_info_pfn)) {
        throw Error(StreamErrc::bad_value, "vcpu0 and the guest record disagree");
    }
    for (auto& [id, vcpu] : vcpus) vcpu.basic = localise_vcpu(vcpu.basic, id, frames);

    ports.context.set_tsc_info(info.id, decode_tsc_info(image.get(RecordType::x86_tsc_info).body));
    const Gfn shared_info_gfn(info.shared_info.value());
    auto shared_info = ports.memory.read(info.id, shared_info_gfn);
    merge_shared_info(shared_info, image.get(RecordType::shared_info).body);
    ports.memory.write(info.id, shared_info_gfn, shared_info);

    auto page = ports.memory.read(info.id, Gfn(start_info.value()));
    write_start_info(page, {std::uint64_t{p2m.max_pfn} + 1, info.shared_info, store,
                            channels.store_port, console, channels.console_port});
    ports.memory.write(info.id, Gfn(start_info.value()), page);

    for (const auto& [id, vcpu] : vcpus) ports.context.set_vcpu(info.id, id, vcpu);
    ports.context.pin(info.id, pins(frames));
    return {store.value(), console.value()};
}

}  // namespace

std::vector<WrittenFrame> written_frames(const GuestImage& image) {
    const auto record = decode_guest_record(image.get(RecordType::preserved_memory).body);
    if (image.is_pv) return {{"start_info", record.start_info_pfn}};
    std::vector<WrittenFrame> frames;
    for (const auto& param : decode_hvm_params(image.get(RecordType::hvm_params).body)) {
        if (param.index == hvm_param::store_pfn) frames.push_back({"xenstore ring", param.value});
        if (param.index == hvm_param::console_pfn) frames.push_back({"console ring", param.value});
        if (param.index == hvm_param::ioreq_pfn) frames.push_back({"ioreq page", param.value});
        if (param.index == hvm_param::bufioreq_pfn) {
            frames.push_back({"buffered ioreq page", param.value});
        }
    }
    return frames;
}

RestoreResults restore_preserved(const HelperPorts& ports, DomId domain, ByteSource& source,
                                 const RestoreChannels& channels,
                                 const std::function<int(unsigned missing)>& static_data_done) {
    fault_point("restore-start");
    const auto name = str(domain);
    const auto image = read_guest_image(source);
    const auto record = decode_guest_record(image.get(RecordType::preserved_memory).body);
    const auto info = ports.domains.info(domain);
    if (!info) throw Error::of(std::errc::no_such_process, name);
    if (info->is_pv() != image.is_pv)
        throw Error(StreamErrc::bad_value, name + " is of another type");
    const auto sets = ports.preserved.sets();
    const auto& set = find_set(sets, record, image.is_pv);
    if (!(info->uuid == record.uuid)) {
        throw Error(StreamErrc::bad_value, name + " is not the guest that was preserved");
    }
    // Before adoption: afterwards the extents are the domain's.
    const auto extents = image.is_pv ? ports.preserved.extents(set.id) : std::vector<Extent>{};

    set_static_data(ports, domain, image, static_data_done);
    fault_point("restore-static-data");

    ports.preserved.adopt(set.id, domain);
    fault_point("restore-adopted");

    const auto results = image.is_pv ? set_pv_state(ports, *info, image, record, extents, channels)
                                     : set_hvm_state(ports, domain, image, record, channels);
    fault_point("restore-state-set");

    ports.context.seed_grant_table(domain, {image.is_pv, results.console_gfn, results.store_gfn,
                                            channels.console_domid, channels.store_domid});
    fault_point("restore-complete");
    return results;
}

}  // namespace warmvm
