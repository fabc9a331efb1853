// SPDX-License-Identifier: GPL-2.0-only
#include "guest/running_guests.hpp"

#include <charconv>

namespace warmvm {
namespace {

bool has_connected_frontend(Store& store, DomId domain) {
    constexpr const char* connected = "4";  // XenbusStateConnected
    const auto devices = domain_path(domain, "device");
    for (const auto& kind : store.list(devices)) {
        const auto of_kind = devices + "/" + kind;
        for (const auto& device : store.list(of_kind)) {
            if (store.read(of_kind + "/" + device + "/state") == connected) return true;
        }
    }
    return false;
}

bool can_suspend(Store& store, DomId domain) {
    const auto says = store.read(domain_path(domain, "control/feature-suspend"));
    if (says && !says->empty()) return says == "1";
    return has_connected_frontend(store, domain);
}

RunningGuest look_at(const DomainInfo& info, Store& store) {
    RunningGuest guest;
    guest.info = info;
    guest.name = store.read(domain_path(info.id, "name")).value_or(str(info.id));
    const auto type = store.read("/libxl/" + std::to_string(info.id.value()) + "/type");
    guest.known_to_libxl = type && !type->empty();
    guest.can_suspend = can_suspend(store, info.id);
    return guest;
}

std::optional<DomId> parse_domid(const std::string& text) {
    std::uint32_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc() || at != end) return std::nullopt;
    return DomId(number);
}

}  // namespace

std::vector<RunningGuest> running_guests(DomainControl& domains, Store& store) {
    std::vector<RunningGuest> guests;
    for (const auto& info : domains.list()) {
        if (!info.dying) guests.push_back(look_at(info, store));
    }
    return guests;
}

std::optional<RunningGuest> find_guest(DomainControl& domains, Store& store,
                                       const std::string& wanted) {
    const auto id = parse_domid(wanted);
    for (const auto& info : domains.list()) {
        if (id ? info.id == *id : store.read(domain_path(info.id, "name")) == wanted) {
            return look_at(info, store);
        }
    }
    return std::nullopt;
}

}  // namespace warmvm
