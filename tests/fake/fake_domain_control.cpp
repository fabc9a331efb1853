// SPDX-License-Identifier: GPL-2.0-only
#include "fake_ports.hpp"

namespace fake {

std::vector<warmvm::DomainInfo> DomainControl::list() {
    step("list");
    std::vector<warmvm::DomainInfo> infos;
    for (const auto& [id, domain] : domains) {
        warmvm::DomainInfo info;
        info.id = domain.id;
        info.uuid = domain.uuid;
        info.kind = domain.kind;
        info.paused = domain.toolstack_pauses > 0;
        info.dying = domain.dying;
        info.shutdown = domain.shutdown;
        info.max_vcpu_id = domain.vcpus.empty() ? 0 : domain.vcpus.rbegin()->first;
        info.frames = domain.frames.size();
        info.shared_info = domain.shared_info;
        info.pv_width = domain.pv_width;
        infos.push_back(info);
    }
    return infos;
}

std::optional<warmvm::DomainInfo> DomainControl::info(DomId domain) {
    for (const auto& info : list()) {
        if (info.id == domain) return info;
    }
    return std::nullopt;
}

void DomainControl::pause(DomId domain) {
    step("pause");
    ++get(domain).toolstack_pauses;
}

void DomainControl::unpause(DomId domain) {
    step("unpause");
    auto& target = get(domain);
    if (target.toolstack_pauses == 0) broken_rule("unpause of a domain that is not paused");
    --target.toolstack_pauses;
}

void DomainControl::resume_suspended(DomId domain) {
    step("resume_suspended");
    auto& target = get(domain);
    if (target.shutdown != warmvm::ShutdownReason::suspend)
        broken_rule("resume of a running domain");
    target.shutdown.reset();
    ++target.times_cancelled;
}

warmvm::HypervisorVersion DomainControl::version() {
    step("version");
    return xen;
}

warmvm::HostHardware DomainControl::hardware() {
    step("hardware");
    return machine_hardware;
}

}  // namespace fake
