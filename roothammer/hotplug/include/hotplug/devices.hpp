// SPDX-License-Identifier: GPL-2.0-only
// Port: dom0's devices.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace roothammer::hotplug {

struct DeviceNumber {
    std::uint32_t major{}, minor{};
    friend bool operator==(const DeviceNumber&, const DeviceNumber&) = default;
};

struct Mount {
    std::string source;
    bool read_only = false;
};

class Devices {
  public:
    virtual ~Devices() = default;
    // The number of a block device, links followed; nullopt if the path is none.
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

}  // namespace roothammer::hotplug
