// SPDX-License-Identifier: GPL-2.0-only
#include "roothammer/host.hpp"

#include <cstdio>

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

std::vector<Guest> running_guests(const Host& host) {
    std::vector<Guest> guests;
    for (const auto& info : host.domains.list()) {
        if (info.dying) continue;
        const auto id = std::to_string(info.id.value());
        Guest guest;
        guest.info = info;
        guest.name = host.store.read(warmvm::domain_path(info.id, "name")).value_or("dom" + id);
        guest.type = host.store.read("/libxl/" + id + "/type").value_or("");
        guest.can_suspend = can_suspend(host, info.id);
        guests.push_back(std::move(guest));
    }
    return guests;
}

namespace {
std::function<void(const std::string&)>& log_sink() {
    static std::function<void(const std::string&)> sink;
    return sink;
}
}  // namespace

void set_log(std::function<void(const std::string&)> sink) {
    log_sink() = std::move(sink);
}

void log(const std::string& line) {
    if (log_sink()) {
        log_sink()(line);
        return;
    }
    std::fprintf(stderr, "roothammer: %s\n", line.c_str());
    std::fflush(stderr);
}

}  // namespace roothammer
