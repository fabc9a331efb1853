// SPDX-License-Identifier: GPL-2.0-only
#include "fake_ports.hpp"

#include <algorithm>
#include <iterator>

namespace fake {

std::uint64_t System::tsc() {
    return tsc_ += 10;
}

void System::sleep(std::chrono::milliseconds) {
    step("sleep");
    if (on_sleep) on_sleep();
    for (auto& [id, left] : late_) {
        auto& domain = get(DomId(id));
        if (left > 0 && --left == 0) {
            domain.shutdown = warmvm::ShutdownReason::suspend;
        } else if (left == 0 && domain.shutdown) {
            ++domain.stood_still;
        }
    }
}

std::uint64_t System::random_token() {
    return 0x1122334455667788;
}

std::string System::boot_id() {
    step("boot_id");
    return boot;
}

void System::keep_units(const std::string&, const std::vector<std::string>& patterns) {
    step("keep_units");
    if (std::ranges::find(patterns, "xendomains.service") == patterns.end()) {
        broken_rule("xendomains is stopped, and with it every guest");
    }
}

std::vector<std::string> System::active_units(const std::vector<std::string>& patterns) {
    step("active_units");
    std::vector<std::string> units;
    std::ranges::copy_if(patterns, std::back_inserter(units),
                         [](const auto& pattern) { return pattern == "storage.service"; });
    return units;
}

void System::isolate(const std::string& target) {
    step("isolate");
    services_up = target == "default.target";
    if (!services_up && on_warm_target) on_warm_target();
}

bool System::is_active(const std::string& unit) {
    step("is_active");
    return unit == "default.target" && services_up;
}

bool System::has_other_jobs(const std::vector<std::string>&) {
    step("has_other_jobs");
    return other_jobs-- > 0;
}

void System::sync() {
    step("sync");
}

void System::remount_read_only() {
    step("remount_read_only");
    read_only = true;
}

void System::remount_writable() {
    step("remount_writable");
    read_only = false;
}

void System::reboot() {
    step("reboot");
    if (!read_only) broken_rule("reboot with writable file systems");
    for (const auto& [id, domain] : domains) {
        if (!domain.held) broken_rule("reboot while " + domain.name + " is not preserved");
    }
    jumped = true;
    throw Rebooted{};
}

}  // namespace fake
