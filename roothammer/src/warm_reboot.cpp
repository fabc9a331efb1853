// SPDX-License-Identifier: GPL-2.0-only
#include "roothammer/warm_reboot.hpp"

#include <optional>

#include "base/fault.hpp"
#include "base/file.hpp"
#include "base/lock.hpp"
#include "preflight/next_boot.hpp"
#include "roothammer/freeze.hpp"
#include "roothammer/recover.hpp"

namespace roothammer {
namespace {

using warmvm::Error;
using warmvm::fault_point;

// What is loaded goes again, unless the plan was handed over.
class LoadedImage {
  public:
    LoadedImage(const Host& host, const warmvm::KexecImage& image) : host_(host) {
        fault_point("load-before");
        host_.kexec.load(image);
    }
    ~LoadedImage() {
        if (handed_over_) return;
        try {
            host_.kexec.unload();
        } catch (...) {
            log("the image stays loaded; nothing will jump to it");
        }
    }
    LoadedImage(const LoadedImage&) = delete;
    LoadedImage& operator=(const LoadedImage&) = delete;
    void hand_over() { handed_over_ = true; }

  private:
    const Host& host_;
    bool handed_over_ = false;
};

// What an earlier try has asked and not seen suspend may do so yet, and stays known.
void keep_unanswered(const Host& host, Plan& plan) {
    const auto earlier = load_plan_of(plan.boot_id, host.paths.plan());
    if (!earlier) return;
    for (const auto& asked : earlier->guests) {
        if (asked.stage != GuestStage::unanswered) continue;
        for (auto& guest : plan.guests) {
            if (guest.domid == asked.domid && guest.uuid == asked.uuid) guest.stage = asked.stage;
        }
    }
}

void drop_plan(const Host& host, Plan plan, const std::string& why) {
    plan.stage = Stage::aborted;
    plan.error = why;
    store_plan(host.paths.plan(), plan);
}

bool is_freeze_coming(const Host& host) {
    return host.system.is_active(freeze_unit) || host.system.has_other_jobs({});
}

// Someone has isolated another target meanwhile, or the service cannot be started. Says what was
// wrong; nullopt if the freeze was started after all.
std::optional<std::string> call_off(const Host& host) {
    const auto lock = warmvm::Lock::try_take(host.paths.work_lock());
    if (!lock) return std::nullopt;
    std::string why = "the service manager has dropped the freeze (journalctl -u " +
                      std::string(freeze_unit) + ")";
    recover(host, why);
    return why;
}

}  // namespace

const std::vector<std::string>& units_kept() {
    static const std::vector<std::string> units{
        // xenstored, the backends' hotplug and what would stop or save guests on its way out
        "xen.service", "xendomains.service", "xenstored.service", "xenconsoled.service",
        "xen-*.service", "xendriverdomain.service", "roothammer-resume.service",
        "var-lib-xenstored.mount", "proc-xen.mount", "systemd-udevd.service",
        "systemd-journald.service", "dbus.service",
        // the bridge and the ways out of it
        "networking.service", "ifup@*.service", "systemd-networkd.service",
        "NetworkManager.service", "openvswitch-switch.service", "ovs-vswitchd.service",
        "ovsdb-server.service", "nftables.service", "netfilter-persistent.service",
        // the policy, whose child xl-warm-reboot may be: that must live to call a freeze off that
        // never came
        "roothammer-policy.service",
        // disks
        "lvm2-*.service", "multipathd.service", "iscsid.service", "open-iscsi.service",
        "drbd*.service"};
    return units;
}

void start_warm_reboot(const Host& host, const WarmRebootOptions& options, const Report& report) {
    Plan plan;
    plan.tsc_start = host.system.tsc();
    plan.token = host.system.random_token();
    plan.boot_id = host.system.boot_id();
    plan.timeout = options.timeout;
    plan.on_guest_failure = options.on_guest_failure;
    plan.guests = report.guests;
    keep_unanswered(host, plan);

    std::optional<warmvm::MemoryFile> kernel;
    if (!report.unpacked_kernel.empty()) kernel.emplace("dom0-kernel", report.unpacked_kernel);
    LoadedImage image(
        host, {options.images.xen, with_token(options.images.xen_commandline, plan.token),
               kernel ? kernel->path() : options.images.kernel, options.images.kernel_commandline,
               options.images.initrd});
    kernel.reset();
    fault_point("load-after");
    if (const auto refusal = host.preserved.verify()) {
        throw Error::of(std::errc::io_error, "the loaded image: " + refusal->str());
    }
    fault_point("load-verified");

    store_plan(host.paths.plan(), plan);
    try {
        fault_point("plan-written");
        auto keep = units_kept();
        keep.insert(keep.end(), options.keep.begin(), options.keep.end());
        host.system.keep_units(warm_target, keep);
        host.system.isolate(warm_target);
    } catch (const std::exception& error) {
        drop_plan(host, plan, error.what());
        throw;
    }
    image.hand_over();
    log("event=handed-over tsc=" + std::to_string(host.system.tsc()));
}

std::string wait_for_failure(const Host& host) {
    constexpr std::chrono::milliseconds step{200};
    // Asking costs dom0 time, so it is seldom done; and one answer is not enough, for a job may
    // have ended and its service not begun.
    constexpr std::chrono::milliseconds look{5000};
    constexpr int looks = 2;
    int idle = 0;
    for (auto waited = step;; waited += step) {
        const auto plan = load_plan(host.paths.plan());
        if (!plan) return "the plan is gone";
        if (plan->stage == Stage::aborted) return plan->error;
        host.system.sleep(step);
        if (waited % look != step.zero()) continue;
        idle = is_freeze_coming(host) ? 0 : idle + 1;
        if (idle < looks) continue;
        if (auto why = call_off(host)) return *why;
    }
}

}  // namespace roothammer
