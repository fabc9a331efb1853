// SPDX-License-Identifier: GPL-2.0-only
// The host's guests, by the names that people know them by.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "xen/domain_control.hpp"
#include "xen/store.hpp"

namespace warmvm {

struct RunningGuest {
    DomainInfo info;
    std::string name;  // xenstore's; "dom7" if it has none
    bool known_to_libxl = false;
    // It says so (control/feature-suspend), or has said so in an earlier life: Linux writes that
    // node when it boots, not when it is restored, but its PV drivers are connected then.
    bool can_suspend = false;
};

// Domains that are neither dom0 nor dying.
std::vector<RunningGuest> running_guests(DomainControl& domains, Store& store);

// wanted: a name or a domid. The domain may be dying; dom0 is no guest.
std::optional<RunningGuest> find_guest(DomainControl& domains, Store& store,
                                       const std::string& wanted);

}  // namespace warmvm
