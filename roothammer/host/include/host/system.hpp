// SPDX-License-Identifier: GPL-2.0-only
// Port: dom0 itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace roothammer {

class System {
  public:
    virtual ~System() = default;

    virtual std::uint64_t tsc() = 0;
    virtual void sleep(std::chrono::milliseconds time) = 0;
    // dom0's that are online, at least 1.
    virtual unsigned processors() = 0;
    // Never 0.
    virtual std::uint64_t random_token() = 0;
    // dom0's boot id (/proc/sys/kernel/random/boot_id).
    virtual std::string boot_id() = 0;

    // The units that match a pattern and are active now.
    virtual std::vector<std::string> active_units(const std::vector<std::string>& patterns) = 0;
    // Make target pull in the units that match a pattern and are active now, so that isolating it
    // leaves them alone.
    virtual void keep_units(const std::string& target,
                            const std::vector<std::string>& patterns) = 0;
    // Start isolating; does not wait.
    virtual void isolate(const std::string& target) = 0;
    virtual bool is_active(const std::string& unit) = 0;
    // Jobs of the service manager other than those of the named units.
    virtual bool has_other_jobs(const std::vector<std::string>& units) = 0;

    virtual void sync() = 0;
    // Every file system on a block device; throws if one stays writable.
    virtual void remount_read_only() = 0;
    // Undoes it, in this process or a later one; nothing if there is nothing to undo.
    virtual void remount_writable() = 0;
    // reboot(2). Does not return if it works.
    virtual void reboot() = 0;
};

std::unique_ptr<System> open_system();

}  // namespace roothammer
