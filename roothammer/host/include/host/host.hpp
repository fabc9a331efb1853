// SPDX-License-Identifier: GPL-2.0-only
// All the ports of a warm reboot in one hand.
#pragma once

#include <filesystem>

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

}  // namespace roothammer
