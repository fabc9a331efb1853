// SPDX-License-Identifier: GPL-2.0-only
#include "roothammer/xl_warm_reboot.hpp"

#include <sys/utsname.h>

#include <boost/program_options.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "base/lock.hpp"
#include "preflight/next_boot.hpp"
#include "roothammer/freeze.hpp"
#include "roothammer/warm_reboot.hpp"

namespace roothammer {
namespace {

namespace po = boost::program_options;

struct Settings {
    std::string xen, kernel, initrd, xen_commandline, kernel_commandline;
    std::string on_guest_failure;
    std::vector<std::string> keep;
    int timeout_seconds = 0;
    bool dry_run = false;
    bool json = false;
};

po::options_description describe_settings(Settings& settings) {
    constexpr int default_timeout = 60;
    po::options_description description("options, also of /etc/xen/roothammer.conf (name=value)");
    description.add_options()("xen", po::value(&settings.xen), "the next hypervisor's image")(
        "kernel", po::value(&settings.kernel), "dom0's kernel")(
        "initrd", po::value(&settings.initrd), "dom0's initial RAM disk")(
        "xen-cmdline", po::value(&settings.xen_commandline),
        "the next hypervisor's command line; default: the running one's")(
        "kernel-cmdline", po::value(&settings.kernel_commandline),
        "dom0's command line, taken as it is; default: the running one's, without cryptographic "
        "self-tests")("timeout",
                      po::value(&settings.timeout_seconds)->default_value(default_timeout),
                      "seconds a guest may take to suspend")(
        "on-guest-failure", po::value(&settings.on_guest_failure)->default_value("abort"),
        "abort: every guest goes on here; shutdown: that guest is shut down, the rest go over")(
        "keep", po::value(&settings.keep)->composing(),
        "a unit (pattern) that must not be stopped before the freeze; may be given often");
    return description;
}

std::string first_existing(const std::vector<std::string>& candidates) {
    for (const auto& path : candidates) {
        if (std::filesystem::exists(path)) return path;
    }
    return candidates.front();
}

Images complete(const Settings& settings, const warmvm::HypervisorVersion& running) {
    utsname kernel{};
    if (::uname(&kernel) < 0) throw warmvm::Error::from_errno("uname");
    const std::string release = kernel.release;
    const auto number = std::to_string(running.major) + "." + std::to_string(running.minor);
    Images images;
    images.xen = !settings.xen.empty()
                     ? settings.xen
                     : first_existing({"/boot/xen-" + number + running.extra + ".gz",
                                       "/boot/xen-" + number + "-amd64.gz",
                                       "/boot/xen-" + number + ".gz", "/boot/xen.gz", "/boot/xen"});
    images.kernel = !settings.kernel.empty()
                        ? settings.kernel
                        : first_existing({"/boot/vmlinuz-" + release, "/boot/vmlinuz"});
    images.initrd =
        !settings.initrd.empty()
            ? settings.initrd
            : first_existing({"/boot/initrd.img-" + release, "/boot/initrd.img", "/boot/initrd"});
    images.xen_commandline = next_xen_commandline(
        settings.xen_commandline.empty() ? running.commandline : settings.xen_commandline);
    images.kernel_commandline =
        settings.kernel_commandline.empty()
            ? next_kernel_commandline(warmvm::read_text_file("/proc/cmdline"))
            : settings.kernel_commandline;
    return images;
}

void read_config(const std::filesystem::path& path, const po::options_description& options,
                 po::variables_map& values) {
    std::ifstream file(path);
    if (!file) return;
    try {
        po::store(po::parse_config_file(file, options), values);
    } catch (const po::error& error) {
        throw po::error(path.string() + ": " + error.what());
    }
}

int print_report(const Report& report, bool json) {
    std::cout << (json ? to_json(report) : to_text(report)) << std::flush;
    if (!report.refused()) return exit_ok;
    return report.host_refused() ? exit_host_refused : exit_guest_refused;
}

void refuse_second_run(const Host& host) {
    const bool active = host.system.is_active(freeze_unit) || host.system.is_active(warm_target);
    if (active || !warmvm::Lock::try_take(host.paths.work_lock())) {
        throw warmvm::Error::of(std::errc::device_or_resource_busy,
                                "a warm reboot or a resume is under way");
    }
}

// What becomes of the guests after a reboot that was called off.
std::string who_goes_on(const Host& host) {
    std::string down;
    if (const auto plan = load_plan(host.paths.plan())) {
        for (const auto& guest : plan->guests) {
            if (guest.stage == GuestStage::shut_down) down += " " + guest.name;
        }
    }
    return down.empty() ? "every guest goes on here"
                        : "every guest goes on here but those that were shut down:" + down;
}

int warm_reboot(const Host& host, const Settings& settings) {
    const auto policy = parse_on_guest_failure(settings.on_guest_failure);
    if (!policy) {
        throw po::validation_error(po::validation_error::invalid_option_value,
                                   settings.on_guest_failure, "on-guest-failure");
    }
    constexpr int longest_timeout = 24 * 3600;
    if (settings.timeout_seconds < 1 || settings.timeout_seconds > longest_timeout) {
        throw po::validation_error(po::validation_error::invalid_option_value,
                                   std::to_string(settings.timeout_seconds), "timeout");
    }
    const auto session = take_lock(host.paths.session_lock());
    refuse_second_run(host);

    WarmRebootOptions options;
    options.images = complete(settings, host.domains.version());
    options.timeout = std::chrono::seconds(settings.timeout_seconds);
    options.on_guest_failure = *policy;
    options.keep = settings.keep;
    const auto report = preflight(host, options.images, options.on_guest_failure);
    const int verdict = print_report(report, settings.json);
    if (settings.dry_run || verdict != exit_ok) return verdict;

    start_warm_reboot(host, options, report);
    const auto why = wait_for_failure(host);
    if (settings.json) {
        std::cout << nlohmann::json{{"aborted", why}}.dump(-1, ' ', false,
                                                           nlohmann::json::error_handler_t::replace)
                  << std::endl;
    }
    log("the warm reboot was called off: " + why + "; " + who_goes_on(host));
    return exit_failed;
}

}  // namespace

int run_xl_warm_reboot(int argc, const char* const* argv, const HostSource& source) {
    return run_command("xl-warm-reboot", [&] {
        Settings settings;
        const auto shared = describe_settings(settings);
        po::options_description all(
            "xl-warm-reboot [options]: replace hypervisor and dom0 under "
            "running guests");
        all.add(shared).add_options()("dry-run", po::bool_switch(&settings.dry_run),
                                      "check everything, change nothing")(
            "json", po::bool_switch(&settings.json), "the report as JSON")("help", "this text")(
            "version", "the version of this program");
        po::variables_map values;
        po::store(po::command_line_parser(argc, argv).options(all).positional({}).run(), values);
        if (values.count("help")) {
            std::cout << all;
            return exit_ok;
        }
        if (values.count("version")) return print_version("xl-warm-reboot");
        const auto& host = source();
        read_config(host.paths.config, shared, values);
        po::notify(values);
        return warm_reboot(host, settings);
    });
}

}  // namespace roothammer
