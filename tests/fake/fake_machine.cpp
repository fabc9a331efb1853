// SPDX-License-Identifier: GPL-2.0-only
#include "fake_machine.hpp"

namespace fake {
namespace {

using warmvm::SetState;

}  // namespace

void Machine::boot_next() {
    if (!jumped) broken_rule("the machine was not rebooted");
    if (armed_token == 0) broken_rule("a cold reboot");
    const auto token = loaded->xen_commandline.find("preserved-token=");
    if (token == std::string::npos) broken_rule("the next hypervisor does not know the token");
    for (auto& [id, set] : preserved) {
        set.info.state = SetState::inherited;
        ++set.info.generation;
    }
    domains.clear();
    nodes.clear();
    loaded.reset();
    armed_token = 0;
    jumped = false;
    services_up = true;
    read_only = false;
    boot += "+";
    ++host_info.generation;
    host_info.warm = true;
    host_info.tsc_jump = tsc_;
    host_info.tsc_entry = tsc_ += 1000;
}

roothammer::Host Machine::host(const roothammer::Paths& paths) {
    return {*this, *this, *this, *this, *this, *this, paths};
}

std::string Machine::what_is_not_as_before() const {
    for (const auto& [id, domain] : domains) {
        if (!domain.runs()) return domain.name + " does not run";
        if (domain.log_dirty) return domain.name + " is in log-dirty mode";
    }
    if (!preserved.empty()) return "a set is left";
    if (armed_token) return "still armed";
    if (loaded) return "an image is still loaded";
    if (!services_up) return "dom0's services are down";
    if (read_only) return "file systems are read-only";
    return {};
}

}  // namespace fake
