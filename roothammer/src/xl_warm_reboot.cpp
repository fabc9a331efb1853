// SPDX-License-Identifier: GPL-2.0-only
#include "roothammer/xl_warm_reboot.hpp"

#include <sys/utsname.h>

#include <cstdio>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

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
    OnGuestFailure on_guest_failure = OnGuestFailure::abort;
    std::vector<std::string> keep;
    std::chrono::seconds timeout{};
    bool dry_run = false;
    bool json = false;
};

OnGuestFailure on_guest_failure(const std::string& text) {
    if (const auto policy = parse_on_guest_failure(text)) return *policy;
    throw warmvm::UsageError("--on-guest-failure '" + text + "': abort or shutdown is wanted");
}

// An empty text would be taken for the default, which is hardly what whoever writes one means.
void expect_text(const std::string& option, const std::string& text) {
    if (text.empty()) throw warmvm::UsageError("--" + option + " is empty; leave it out instead");
}

auto* text_into(std::string& setting, const std::string& option) {
    return po::value<std::string>()->notifier([&setting, option](const std::string& text) {
        expect_text(option, text);
        setting = text;
    });
}

po::options_description describe_settings(Settings& settings) {
    constexpr unsigned longest_timeout = 24 * 3600;
    po::options_description description("options, also of /etc/xen/roothammer.conf (name=value)");
    description.add_options()("xen", text_into(settings.xen, "xen"), "the next hypervisor's image")(
        "kernel", text_into(settings.kernel, "kernel"), "dom0's kernel")(
        "initrd", text_into(settings.initrd, "initrd"), "dom0's initial RAM disk")(
        "xen-cmdline", text_into(settings.xen_commandline, "xen-cmdline"),
        "the next hypervisor's command line; default: the running one's")(
        "kernel-cmdline", text_into(settings.kernel_commandline, "kernel-cmdline"),
        "dom0's command line, taken as it is; default: the running one's, without cryptographic "
        "self-tests")("timeout",
                      warmvm::whole_number_into(settings.timeout, "timeout", 1, longest_timeout)
                          ->default_value("60"),
                      "seconds a guest may take to suspend")(
        "on-guest-failure",
        po::value<std::string>()->default_value("abort")->notifier(
            [&](const std::string& text) { settings.on_guest_failure = on_guest_failure(text); }),
        "abort: every guest goes on here; shutdown: that guest is shut down, the rest go over")(
        "keep",
        po::value<std::vector<std::string>>()->composing()->notifier([&](const auto& units) {
            for (const auto& unit : units) expect_text("keep", unit);
            settings.keep = units;
        }),
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

// nullopt: there is none. One that cannot be read must not pass for none.
std::optional<std::string> config_text(const std::filesystem::path& path) {
    try {
        const auto status = std::filesystem::status(path);
        if (!std::filesystem::exists(status)) return std::nullopt;
        if (std::filesystem::is_regular_file(status)) return warmvm::read_text_file(path);
    } catch (const std::system_error& error) {
        throw warmvm::UsageError(path.string() + ": " + error.code().message());
    }
    throw warmvm::UsageError(path.string() + " is no regular file");
}

po::parsed_options parse_config_line(const std::string& line,
                                     const po::options_description& options) {
    std::istringstream text(line);
    if ((text >> std::ws).peek() == '[') throw warmvm::UsageError("there are no sections");
    auto parsed = po::parse_config_file(text, options);
    for (const auto& option : parsed.options) {
        const auto& value = option.value.front();
        if (value.starts_with('"') || value.starts_with('\'')) {
            throw warmvm::UsageError(option.string_key + ": " + value +
                                     " begins with a quote, which would be part of the value");
        }
    }
    // What its option says of the value. That it sets what is set for good later does not matter.
    po::variables_map values;
    po::store(parsed, values);
    po::notify(values);
    return parsed;
}

// Those of the command line, which have been checked, stay what they are.
void read_config(const std::filesystem::path& path, const po::options_description& options,
                 po::variables_map& values) {
    const auto text = config_text(path);
    if (!text) return;
    po::parsed_options all(&options);
    std::map<std::string, std::size_t> lines;
    std::istringstream file(*text);
    std::size_t number = 0;
    for (std::string line; std::getline(file, line);) {
        ++number;
        try {
            for (const auto& option : parse_config_line(line, options).options) {
                const auto [earlier, is_new] = lines.try_emplace(option.string_key, number);
                if (!is_new && option.string_key != "keep") {
                    throw warmvm::UsageError(option.string_key + " was set on line " +
                                             std::to_string(earlier->second));
                }
                all.options.push_back(option);
            }
        } catch (const po::error& error) {
            throw warmvm::UsageError(path.string() + ":" + std::to_string(number) + ": " +
                                     error.what());
        }
    }
    po::store(all, values);
    po::notify(values);
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

// One that is misspelt keeps nothing, which would show when the guests miss the unit.
void look_for_kept(const Host& host, const std::vector<std::string>& keep, Report& report) {
    for (const auto& pattern : keep) {
        if (!host.system.active_units({pattern}).empty()) continue;
        report.findings.push_back(
            {Verdict::note, "keep " + pattern, "matches no unit that is active", {}, false});
    }
}

int warm_reboot(const Host& host, const Settings& settings) {
    const auto session = take_lock(host.paths.session_lock());
    refuse_second_run(host);

    WarmRebootOptions options;
    options.images = complete(settings, host.domains.version());
    options.timeout = settings.timeout;
    options.on_guest_failure = settings.on_guest_failure;
    options.keep = settings.keep;
    auto report = preflight(host, options.images, options.on_guest_failure);
    look_for_kept(host, settings.keep, report);
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
            "json", po::bool_switch(&settings.json), "the report as JSON");
        auto line = warmvm::parse_command_line({argv + 1, argv + argc}, all);
        warmvm::expect_words(line.words, {});
        read_config(source.paths.config, shared, line.options);
        return warm_reboot(source.open(), settings);
    });
}

}  // namespace roothammer
