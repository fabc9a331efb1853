// SPDX-License-Identifier: GPL-2.0-only
// All the ports of a warm reboot in one hand, and what a guest looks like through them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "roothammer/paths.hpp"
#include "roothammer/system.hpp"
#include "roothammer/toolstack.hpp"
#include "warmvm/domain_control.hpp"
#include "warmvm/kexec.hpp"
#include "warmvm/preserved.hpp"
#include "warmvm/store.hpp"

namespace roothammer {

struct Host {
    warmvm::DomainControl& domains;
    warmvm::PreservedMemory& preserved;
    warmvm::Store& store;
    warmvm::Kexec& kexec;
    Toolstack& toolstack;
    System& system;
    Paths paths;
};

struct Guest {
    warmvm::DomainInfo info;
    std::string name;  // xenstore's; "dom7" if it has none
    std::string type;  // libxl's: "pv", "pvh", "hvm"; empty if it is not libxl's
    // It says so (control/feature-suspend), or it has said so in an earlier life: Linux writes that
    // node when it boots, not when it is restored, but its PV drivers are connected then.
    bool can_suspend = false;
};

// Domains that are neither dom0 nor dying.
std::vector<Guest> running_guests(const Host& host);

// One line on stderr, "event=WHAT guest=NAME ..." included: the tests read exactly these.
void log(const std::string& line);
// Where log() writes instead; empty: stderr again.
void set_log(std::function<void(const std::string&)> sink);

}  // namespace roothammer
