// SPDX-License-Identifier: GPL-2.0-only
#include "policy/ports.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <ctime>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/process.hpp"
#include "policy/preflight_output.hpp"

namespace roothammer::policy {
namespace {

using warmvm::Error;

// Far above any history of the allowed length.
constexpr std::size_t most_bytes = 4u << 20;

class FolderStorage final : public Storage {
  public:
    explicit FolderStorage(std::filesystem::path folder) : folder_(std::move(folder)) {}

    std::optional<std::string> read(const std::string& name) override {
        const auto path = folder_ / name;
        if (!std::filesystem::exists(path)) return std::nullopt;
        const auto file = warmvm::open_file(path, O_RDONLY);
        const auto size = ::lseek(file.get(), 0, SEEK_END);
        if (size < 0) throw Error::from_errno("lseek " + path.string());
        std::string text(std::min(static_cast<std::size_t>(size), most_bytes), '\0');
        if (::lseek(file.get(), -static_cast<off_t>(text.size()), SEEK_END) < 0) {
            throw Error::from_errno("lseek " + path.string());
        }
        warmvm::read_exactly(file.get(), std::as_writable_bytes(std::span(text)), path.string());
        return text;
    }

    void replace(const std::string& name, const std::string& text) override {
        std::filesystem::create_directories(folder_);
        constexpr mode_t readable = 0644;
        warmvm::replace_file(folder_ / name, warmvm::as_byte_view(text), readable);
        // The new name too must outlive a power failure: a try that is about to begin must count.
        const auto folder = warmvm::open_file(folder_, O_RDONLY | O_DIRECTORY);
        if (::fsync(folder.get()) < 0) throw Error::from_errno("fsync " + folder_.string());
    }

  private:
    std::filesystem::path folder_;
};

class LinuxClock final : public Clock {
  public:
    Moment now() override {
        Moment moment;
        moment.boot = warmvm::read_text_file("/proc/sys/kernel/random/boot_id");
        while (!moment.boot.empty() && moment.boot.back() == '\n') moment.boot.pop_back();
        const auto uptime = get(CLOCK_BOOTTIME);
        moment.uptime = std::chrono::milliseconds(uptime.tv_sec * 1000 + uptime.tv_nsec / 1000000);
        moment.wall = get(CLOCK_REALTIME).tv_sec;
        return moment;
    }

    LocalMinute local(std::int64_t wall) override {
        const auto broken = broken_down(wall);
        return {broken.tm_wday, broken.tm_hour * 60 + broken.tm_min};
    }

    std::string local_text(std::int64_t wall) override {
        const auto broken = broken_down(wall);
        std::array<char, 64> text{};
        const auto length = std::strftime(text.data(), text.size(), "%a %F %R %Z", &broken);
        return {text.data(), length};
    }

  private:
    static timespec get(clockid_t clock) {
        timespec time{};
        if (::clock_gettime(clock, &time) < 0) throw Error::from_errno("clock_gettime");
        return time;
    }
    static std::tm broken_down(std::int64_t wall) {
        const auto time = static_cast<std::time_t>(wall);
        std::tm broken{};
        if (!::localtime_r(&time, &broken)) throw Error::from_errno("localtime_r");
        return broken;
    }
};

class CommandRebooter final : public WarmRebooter {
  public:
    explicit CommandRebooter(std::filesystem::path program) : program_(std::move(program)) {}

    CommandResult preflight() override {
        return run({program_.string(), "--dry-run", "--json"}, std::chrono::minutes(10));
    }
    // The limit is for a freeze that neither jumps nor gives up; its service has limits of its own.
    CommandResult reboot() override {
        auto result = run({program_.string(), "--json"}, std::chrono::hours(3));
        if (result.kind == CommandResult::Kind::ok) {
            result = {CommandResult::Kind::failed, "xl-warm-reboot ended and this boot goes on"};
        }
        return result;
    }

  private:
    static CommandResult run(std::vector<std::string> argv, std::chrono::milliseconds limit) {
        const auto result = warmvm::run_process({std::move(argv), {}, limit, false});
        if (result.timed_out) {
            return {CommandResult::Kind::failed, "xl-warm-reboot did not end in time"};
        }
        return read_result(result.status, result.output);
    }

    std::filesystem::path program_;
};

}  // namespace

std::unique_ptr<Storage> open_storage(std::filesystem::path folder) {
    return std::make_unique<FolderStorage>(std::move(folder));
}

std::unique_ptr<Clock> open_clock() {
    return std::make_unique<LinuxClock>();
}

std::unique_ptr<WarmRebooter> open_rebooter(std::filesystem::path program) {
    return std::make_unique<CommandRebooter>(std::move(program));
}

}  // namespace roothammer::policy
