// SPDX-License-Identifier: GPL-2.0-only
// Ports: all that the policy sees of a host, and the one thing it does to it.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policy/cost.hpp"
#include "policy/sample.hpp"
#include "policy/window.hpp"

namespace roothammer::policy {

struct Reading {
    // log_errors and out_of_memory: of the messages from log_from on only.
    Values values;
    std::vector<std::string> missing;   // what could not be read, and why
    std::optional<std::string> no_xen;  // why Xen can be asked nothing at all
    std::optional<LastReboot> last_reboot;
};

class AgingSource {
  public:
    virtual ~AgingSource() = default;
    // log_from: sequence number of the first kernel message wanted. Never fails as a whole.
    virtual Reading read(std::uint64_t log_from) = 0;
};

class Clock {
  public:
    virtual ~Clock() = default;
    virtual Moment now() = 0;
    virtual LocalMinute local(std::int64_t wall) = 0;
    // "Sun 2026-11-22 02:00 CET"
    virtual std::string local_text(std::int64_t wall) = 0;
};

class Storage {
  public:
    virtual ~Storage() = default;
    // nullopt: no such file. Of a file that is too long, its end.
    virtual std::optional<std::string> read(const std::string& name) = 0;
    // Old or new content, whatever happens; on disk when it returns.
    virtual void replace(const std::string& name, const std::string& text) = 0;
};

struct CommandResult {
    enum class Kind { ok, guest_refused, host_refused, failed } kind = Kind::failed;
    std::string why;  // one line; empty if ok
};

class WarmRebooter {
  public:
    virtual ~WarmRebooter() = default;
    // xl-warm-reboot --dry-run: changes nothing.
    virtual CommandResult preflight() = 0;
    // Returns only if it failed: a warm reboot ends this process.
    virtual CommandResult reboot() = 0;
};

struct Ports {
    AgingSource& source;
    Clock& clock;
    Storage& storage;
    WarmRebooter& rebooter;
    std::filesystem::path lock;  // one policy at a time
};

// A folder of a host's: real files, in /var/lib/roothammer/policy.
std::unique_ptr<Storage> open_storage(std::filesystem::path folder);
std::unique_ptr<Clock> open_clock();
// program: xl-warm-reboot.
std::unique_ptr<WarmRebooter> open_rebooter(std::filesystem::path program);
// root: where /proc and /dev are; timeline: of the last warm reboot.
std::unique_ptr<AgingSource> open_aging_source(const std::filesystem::path& root,
                                               const std::filesystem::path& timeline);

}  // namespace roothammer::policy
