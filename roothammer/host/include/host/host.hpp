// SPDX-License-Identifier: GPL-2.0-only
// All the ports of a warm reboot in one hand, and what a guest looks like through them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/lock.hpp"
#include "base/log.hpp"
#include "guest/toolstack.hpp"
#include "host/paths.hpp"
#include "host/system.hpp"
#include "xen/domain_control.hpp"
#include "xen/kexec.hpp"
#include "xen/preserved_memory.hpp"
#include "xen/store.hpp"

namespace roothammer {

using warmvm::log;

struct Host {
    warmvm::DomainControl& domains;
    warmvm::PreservedMemory& preserved;
    warmvm::Store& store;
    warmvm::Kexec& kexec;
    warmvm::Toolstack& toolstack;
    System& system;
    Paths paths;
};

// Two locks: the session lock is an operator's xl-warm-reboot from preflight to the end; the work
// lock is whoever freezes, resumes or puts back. Throws Error (device_or_resource_busy).
warmvm::Lock take_lock(const std::filesystem::path& file);

struct Guest {
    warmvm::DomainInfo info;
    std::string name;  // xenstore's; "dom7" if it has none
    bool known_to_libxl = false;
    // It says so (control/feature-suspend), or it has said so in an earlier life: Linux writes that
    // node when it boots, not when it is restored, but its PV drivers are connected then.
    bool can_suspend = false;
};

// Domains that are neither dom0 nor dying.
std::vector<Guest> running_guests(const Host& host);

}  // namespace roothammer
