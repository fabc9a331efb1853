// SPDX-License-Identifier: GPL-2.0-only
#include "fake_ports.hpp"

#include <algorithm>

namespace fake {

warmvm::CpuPolicy GuestContext::cpu_policy(DomId domain) {
    step("cpu_policy");
    return get(domain).policy;
}
void GuestContext::set_cpu_policy(DomId domain, const warmvm::CpuPolicy& policy) {
    step("set_cpu_policy");
    get(domain).policy = policy;
}
warmvm::TscInfo GuestContext::tsc_info(DomId domain) {
    step("tsc_info");
    return get(domain).tsc;
}
void GuestContext::set_tsc_info(DomId domain, const warmvm::TscInfo& tsc) {
    step("set_tsc_info");
    get(domain).tsc = tsc;
}
Bytes GuestContext::hvm_context(DomId domain) {
    step("hvm_context");
    return get(domain).hvm_context;
}
void GuestContext::set_hvm_context(DomId domain, warmvm::ByteView context) {
    step("set_hvm_context");
    get(domain).hvm_context.assign(context.begin(), context.end());
}
std::uint64_t GuestContext::hvm_param(DomId domain, std::uint64_t index) {
    step("hvm_param");
    const auto& params = get(domain).hvm_params;
    const auto found = params.find(index);
    return found == params.end() ? 0 : found->second;
}
void GuestContext::set_hvm_param(DomId domain, const warmvm::HvmParam& param) {
    step("set_hvm_param");
    get(domain).hvm_params[param.index] = param.value;
}
unsigned GuestContext::pv_width(DomId domain) {
    step("pv_width");
    return get(domain).pv_width;
}
std::optional<warmvm::VcpuContext> GuestContext::vcpu(DomId domain, VcpuId vcpu) {
    step("vcpu");
    const auto& vcpus = get(domain).vcpus;
    const auto found = vcpus.find(vcpu.value());
    if (found == vcpus.end()) return std::nullopt;
    return found->second;
}
void GuestContext::set_vcpu(DomId domain, VcpuId vcpu, const warmvm::VcpuContext& context) {
    step("set_vcpu");
    get(domain).vcpus[vcpu.value()] = context;
}
void GuestContext::pin(DomId domain, const std::vector<warmvm::PageTablePin>& tables) {
    step("pin");
    auto& target = get(domain);
    for (const auto& table : tables) {
        const auto owns = [&](const auto& frame) { return frame.second == table.mfn; };
        if (std::ranges::none_of(target.frames, owns)) broken_rule("pin of a foreign frame");
        target.pinned[table.mfn.value()] = table.level;
    }
}
void GuestContext::seed_grant_table(DomId domain, const warmvm::GrantTableSeed& seed) {
    step("seed_grant_table");
    get(domain).grants = seed;
}

}  // namespace fake
