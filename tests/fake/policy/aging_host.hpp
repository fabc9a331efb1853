// SPDX-License-Identifier: GPL-2.0-only
// A host that ages as time passes, behind every port of the policy: what one port does, the others
// see. Its files outlive its boots.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "policy/ports.hpp"
#include "policy/run.hpp"

namespace fake {

namespace policy = roothammer::policy;

// Thrown by a warm reboot that worked: nothing after it runs.
struct WarmRebooted {};
// The program died, without a word.
struct PolicyKilled {};

class AgingHost final : public policy::AgingSource,
                        public policy::Clock,
                        public policy::Storage,
                        public policy::WarmRebooter {
  public:
    // What is used of a resource now, and grows by the second while the host runs. Bytes.
    struct Aging {
        double used = 0;
        double leak = 0;
        double after_boot = 0;
    };
    std::map<policy::Resource, Aging> aging;
    double xen_heap_size = 0, dom0_memory = 0, swap = 0;
    std::uint64_t guests = 3;
    std::set<policy::Value> unreadable;
    std::optional<std::string> no_xen;
    std::optional<policy::LastReboot> last_reboot;
    // Kernel messages of this boot: their levels; out of memory: level -1.
    std::vector<int> log;

    policy::Moment moment;
    std::uint64_t generation = 0;
    std::map<std::string, std::string> files;
    std::filesystem::path lock;

    policy::CommandResult preflight_says{policy::CommandResult::Kind::ok, ""};
    std::function<void()> during_preflight;
    enum class Reboot {
        works,       // a new boot, warm
        ends_cold,   // a new boot, but the guests are lost
        is_refused,  // by the preflight of the reboot itself
        called_off,  // the freeze failed; this boot goes on
        kills_us,    // the freeze stops the policy's service and is called off after that
    } reboot_does = Reboot::works;

    // Counts of what was done.
    int preflights = 0, reboots = 0, writes = 0;
    // What the record of tries said when the reboot began.
    std::string tries_at_reboot;

    // The nth call through any port throws Error(EIO), before or after it has had its effect; or
    // the program dies there. 0: none does.
    unsigned fail_at = 0;
    bool after_effect = false;
    bool kill = false;
    unsigned calls = 0;

    AgingHost();
    void pass(std::chrono::seconds time);
    void set_clock(std::int64_t by) { moment.wall += by; }
    void boot_again(bool warm);
    // Runs the policy every `step` for `time`, or until it ends otherwise than `same`.
    policy::Outcome watch(std::chrono::seconds time, std::chrono::seconds step,
                          const policy::Config& config,
                          policy::Decision same = policy::Decision::not_due);
    [[nodiscard]] policy::Ports ports() { return {*this, *this, *this, *this, lock}; }
    policy::Outcome run(const policy::Config& config, bool dry_run = false) {
        return policy::run(ports(), config, {dry_run});
    }

    // --- AgingSource
    policy::Reading read(std::uint64_t log_from) override;
    // --- Clock; local time is UTC
    policy::Moment now() override;
    policy::LocalMinute local(std::int64_t wall) override;
    std::string local_text(std::int64_t wall) override;
    // --- Storage
    std::optional<std::string> read(const std::string& name) override;
    void replace(const std::string& name, const std::string& text) override;
    // --- WarmRebooter
    policy::CommandResult preflight() override;
    policy::CommandResult reboot() override;

  private:
    template <class Effect>
    auto step(Effect effect);
    policy::CommandResult do_reboot();
    int boots_ = 1;
};

}  // namespace fake
