// SPDX-License-Identifier: GPL-2.0-only
// What Xen's hotplug scripts `block` and `vif-bridge` do for a plain disk and a plain network card,
// without a shell: the scripts start some forty programs a device, which was nine tenths of the
// time that a guest's resume took. Whatever is not plain, or not certain, is left to the scripts.
// Sources: /etc/xen/scripts of Xen 4.17 (block, vif-bridge, xen-network-common.sh, locking.sh).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

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

struct DeviceNumber {
    std::uint32_t major{}, minor{};
    friend bool operator==(const DeviceNumber&, const DeviceNumber&) = default;
};

struct Mount {
    std::string source;
    bool read_only = false;
};

// Port: dom0's devices.
class Devices {
  public:
    virtual ~Devices() = default;
    // Of a block device, links followed; nullopt if the path is none.
    virtual std::optional<DeviceNumber> block_device(const std::filesystem::path& path) = 0;
    virtual std::filesystem::path resolved(const std::filesystem::path& path) = 0;
    virtual std::vector<Mount> mounts() = 0;
    virtual bool is_bridge(const std::string& name) = 0;
    virtual unsigned mtu(const std::string& interface) = 0;
    // Runs action while no hotplug script is at work on a disk (locking.sh, lock "block").
    virtual void with_block_lock(const std::function<void()>& action) = 0;
    // Takes the interface down, gives it the address of a bridge's port and the MTU, puts it on the
    // bridge unless it is there, and takes it up.
    virtual void make_port(const std::string& interface, const std::string& bridge,
                           unsigned mtu) = 0;
};

std::unique_ptr<Devices> open_devices();

// Connects the device, or says why the script has to do it; nothing is changed then that the script
// would not change to the same.
std::optional<std::string> plug(const Call& call, warmvm::Store& store, Devices& devices);

// Whether the scripts beside this one are those that this program knows, by the list's lines
// "xxh128  name"; nullopt if so, else which is not. An operator's own changes count.
std::optional<std::string> changed_script(const std::filesystem::path& script,
                                          const std::string& list);

}  // namespace roothammer::hotplug
