// SPDX-License-Identifier: GPL-2.0-only
#include "host/system.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/process.hpp"
#include "base/tsc.hpp"
#include "host/mounts.hpp"
#include "host/paths.hpp"

namespace roothammer {
namespace {

using warmvm::Error;

std::string run_systemctl(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "systemctl");
    const auto result = warmvm::run_process({arguments, {}, {}, false});
    if (!result.ok()) {
        throw Error::of(std::errc::io_error,
                        arguments.at(1) + ": " + warmvm::last_line(result.output));
    }
    return result.output;
}

std::vector<Mount> mounted() {
    return block_mounts(warmvm::read_text_file("/proc/self/mountinfo"));
}

class LinuxSystem final : public System {
  public:
    std::uint64_t tsc() override { return warmvm::read_tsc(); }
    void sleep(std::chrono::milliseconds time) override { std::this_thread::sleep_for(time); }
    unsigned processors() override {
        return static_cast<unsigned>(std::max(::sysconf(_SC_NPROCESSORS_ONLN), 1L));
    }

    std::uint64_t random_token() override {
        std::uint64_t token = 0;
        while (token == 0) {
            if (::getrandom(&token, sizeof(token), 0) != sizeof(token)) {
                throw Error::from_errno("getrandom");
            }
        }
        return token;
    }

    std::string boot_id() override {
        auto id = warmvm::read_text_file("/proc/sys/kernel/random/boot_id");
        while (!id.empty() && id.back() == '\n') id.pop_back();
        return id;
    }

    std::vector<std::string> active_units(const std::vector<std::string>& patterns) override {
        std::vector<std::string> arguments{"list-units", "--plain", "--no-legend", "--full",
                                           "--state=active"};
        arguments.insert(arguments.end(), patterns.begin(), patterns.end());
        std::istringstream lines(run_systemctl(arguments));
        std::vector<std::string> units;
        for (std::string line; std::getline(lines, line);) {
            std::istringstream words(line);
            if (std::string unit; words >> unit) units.push_back(std::move(unit));
        }
        return units;
    }

    void keep_units(const std::string& target, const std::vector<std::string>& patterns) override {
        std::string text = "[Unit]\n";
        for (const auto& unit : active_units(patterns)) {
            text += "Wants=" + unit + "\n";
            text += "After=" + unit + "\n";
        }
        const std::filesystem::path folder = "/run/systemd/system/" + target + ".d";
        std::filesystem::create_directories(folder);
        constexpr mode_t readable = 0644;
        warmvm::replace_file(folder / "keep.conf", warmvm::as_byte_view(text), readable);
        run_systemctl({"daemon-reload"});
    }

    void isolate(const std::string& target) override {
        run_systemctl({"isolate", "--no-block", target});
    }

    bool is_active(const std::string& unit) override {
        const auto result = warmvm::run_process({{"systemctl", "is-active", unit}, {}, {}, false});
        const auto state = warmvm::last_line(result.output);
        // A service that is being stopped still acts.
        return state == "active" || state == "activating" || state == "deactivating";
    }

    bool has_other_jobs(const std::vector<std::string>& units) override {
        std::istringstream lines(run_systemctl({"list-jobs", "--plain", "--no-legend", "--full"}));
        for (std::string line; std::getline(lines, line);) {
            std::istringstream words(line);
            std::string job;
            std::string unit;
            if (!(words >> job >> unit)) continue;
            // "No jobs running." when there are none.
            if (!std::ranges::all_of(job, [](char c) { return c >= '0' && c <= '9'; })) continue;
            if (std::ranges::find(units, unit) == units.end()) return true;
        }
        return false;
    }

    void sync() override { ::sync(); }

    void remount_read_only() override {
        warmvm::replace_file(remounted_, warmvm::as_byte_view(to_text(to_be_put_back(mounted()))));
        // What a shutdown does when a file system is busy (the kernel's emergency remount): files
        // still open for writing, the journal's above all, do not stop it.
        std::ofstream trigger("/proc/sysrq-trigger");
        trigger << 'u';
        trigger.close();
        if (!trigger) throw Error::of(std::errc::io_error, "/proc/sysrq-trigger");
        constexpr std::chrono::milliseconds step{20};
        constexpr std::chrono::milliseconds limit{20000};
        for (std::chrono::milliseconds waited{}; waited < limit; waited += step) {
            if (std::ranges::none_of(mounted(), &Mount::writable)) return;
            sleep(step);
        }
        throw Error::of(std::errc::device_or_resource_busy, "a file system stays writable");
    }

    void remount_writable() override {
        if (!std::filesystem::exists(remounted_)) return;
        std::optional<Error> first;  // one that fails must not keep the others read-only
        for (const auto& mount : mounts_from_text(warmvm::read_text_file(remounted_))) {
            const auto path = unescape(mount.point);
            bool done =
                ::mount(nullptr, path.c_str(), nullptr, MS_REMOUNT | mount.flags, nullptr) == 0;
            // That made the mount writable with its file system; this changes it alone.
            if (done && mount.read_only) {
                done = ::mount(nullptr, path.c_str(), nullptr,
                               MS_REMOUNT | MS_BIND | MS_RDONLY | mount.flags, nullptr) == 0;
            }
            if (done || first) continue;
            first = Error::from_errno("remounting " + path);
        }
        if (first) throw *first;
        std::filesystem::remove(remounted_);
    }

    void reboot() override {
        ::reboot(RB_AUTOBOOT);
        throw Error::from_errno("reboot");
    }

  private:
    std::filesystem::path remounted_ = Paths{}.run / "remounted";
};

}  // namespace

std::unique_ptr<System> open_system() {
    return std::make_unique<LinuxSystem>();
}

}  // namespace roothammer
