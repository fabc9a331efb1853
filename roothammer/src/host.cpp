// SPDX-License-Identifier: GPL-2.0-only
#include "roothammer/host.hpp"

#include <cstdio>

namespace roothammer {

std::vector<Guest> running_guests(const Host& host) {
    std::vector<Guest> guests;
    for (const auto& info : host.domains.list()) {
        if (info.dying) continue;
        const auto id = std::to_string(info.id.value());
        Guest guest;
        guest.info = info;
        guest.name = host.store.read(warmvm::domain_path(info.id, "name")).value_or("dom" + id);
        guest.type = host.store.read("/libxl/" + id + "/type").value_or("");
        guest.can_suspend =
            host.store.read(warmvm::domain_path(info.id, "control/feature-suspend")) == "1";
        guests.push_back(std::move(guest));
    }
    return guests;
}

void log(const std::string& line) {
    std::fprintf(stderr, "roothammer: %s\n", line.c_str());
    std::fflush(stderr);
}

}  // namespace roothammer
