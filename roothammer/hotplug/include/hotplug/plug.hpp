// SPDX-License-Identifier: GPL-2.0-only
// What Xen's hotplug scripts `block` and `vif-bridge` do for a plain disk and a plain network card,
// without a shell: the scripts start some forty programs a device, which was nine tenths of the
// time that a guest's resume took. Whatever is not plain, or not certain, is left to the scripts.
// Sources: /etc/xen/scripts of Xen 4.17 (block, vif-bridge, xen-network-common.sh, locking.sh).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "hotplug/devices.hpp"
#include "xen/store.hpp"

namespace roothammer::hotplug {

// How libxl calls a script: its path, arguments, and what it says in the environment.
struct Call {
    std::filesystem::path script;
    std::vector<std::string> arguments;
    std::string xenbus_path;       // XENBUS_PATH: of the backend, "backend/vbd/1/51712"
    std::string xenbus_base_path;  // XENBUS_BASE_PATH: "backend"
    std::string vif;               // vif: the interface's name; empty for a disk
};

// Connects the device, or says why the script has to do it; nothing is changed then that the script
// would not change to the same.
std::optional<std::string> plug(const Call& call, warmvm::Store& store, Devices& devices);

}  // namespace roothammer::hotplug
