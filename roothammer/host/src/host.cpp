// SPDX-License-Identifier: GPL-2.0-only
#include "host/host.hpp"

namespace roothammer {

namespace {

bool has_connected_frontend(const Host& host, warmvm::DomId domain) {
    constexpr const char* connected = "4";  // XenbusStateConnected
    const auto devices = warmvm::domain_path(domain, "device");
    for (const auto& kind : host.store.list(devices)) {
        const auto of_kind = devices + "/" + kind;
        for (const auto& device : host.store.list(of_kind)) {
            if (host.store.read(of_kind + "/" + device + "/state") == connected) return true;
        }
    }
    return false;
}

bool can_suspend(const Host& host, warmvm::DomId domain) {
    const auto says = host.store.read(warmvm::domain_path(domain, "control/feature-suspend"));
    if (says && !says->empty()) return says == "1";
    return has_connected_frontend(host, domain);
}

}  // namespace

warmvm::Lock take_lock(const std::filesystem::path& file) {
    return warmvm::Lock::take(file, "another warm reboot or resume");
}

std::vector<Guest> running_guests(const Host& host) {
    std::vector<Guest> guests;
    for (const auto& info : host.domains.list()) {
        if (info.dying) continue;
        const auto id = std::to_string(info.id.value());
        Guest guest;
        guest.info = info;
        guest.name = host.store.read(warmvm::domain_path(info.id, "name")).value_or("dom" + id);
        guest.known_to_libxl = !host.store.read("/libxl/" + id + "/type").value_or("").empty();
        guest.can_suspend = can_suspend(host, info.id);
        guests.push_back(std::move(guest));
    }
    return guests;
}

}  // namespace roothammer
