// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "base/error.hpp"
#include "base/file.hpp"
#include "policy/ports.hpp"
#include "policy/proc_files.hpp"
#include "roothammer/timeline.hpp"
#include "xen/host_memory.hpp"
#include "xen/preserved_memory.hpp"

namespace roothammer::policy {
namespace {

using warmvm::Error;

bool is_number(const std::string& name) {
    return !name.empty() && name.find_first_not_of("0123456789") == std::string::npos;
}

class LinuxAgingSource final : public AgingSource {
  public:
    LinuxAgingSource(std::filesystem::path root, std::filesystem::path timeline)
        : root_(std::move(root)), timeline_(std::move(timeline)) {}

    Reading read(std::uint64_t log_from) override {
        Reading reading;
        const auto part = [&](const char* what, const auto& read_it) {
            try {
                read_it();
            } catch (const std::system_error& error) {
                reading.missing.push_back(std::string(what) + ": " + error.what());
            }
        };
        try {
            const auto memory = warmvm::open_host_memory();
            part("Xen's memory", [&] { read_xen(*memory, reading.values); });
            part("warm boots", [&] { read_generation(reading.values); });
        } catch (const std::system_error& error) {
            reading.no_xen = error.what();
        }
        part("dom0's memory", [&] { read_meminfo(reading.values); });
        part("xenstored", [&] { read_xenstored(reading.values); });
        part("the kernel's log", [&] { read_log(reading.values, log_from); });
        part("the last warm reboot", [&] { reading.last_reboot = last_reboot(); });
        return reading;
    }

  private:
    static void read_xen(warmvm::HostMemory& memory, Values& values) {
        const auto use = memory.use();
        values[Value::xen_free] = use.free;
        values[Value::xen_own] = use.own();
        values[Value::guests] = use.guests;
    }

    void read_generation(Values& values) {
        if (const auto info = warmvm::open_preserved_memory()->info()) {
            values[Value::generation] = info->generation;
        }
    }

    void read_meminfo(Values& values) {
        const auto text = warmvm::read_text_file(root_ / "proc/meminfo");
        values[Value::dom0_total] = field_in_kib(text, "MemTotal");
        values[Value::dom0_available] = field_in_kib(text, "MemAvailable");
        const auto total = field_in_kib(text, "SwapTotal");
        const auto free = field_in_kib(text, "SwapFree");
        if (total && free && *free <= *total) {
            values[Value::swap_total] = total;
            values[Value::swap_used] = *total - *free;
        }
    }

    // The process is known by its name, which both implementations keep; a pid file may be stale.
    void read_xenstored(Values& values) {
        for (const auto& entry : std::filesystem::directory_iterator(root_ / "proc")) {
            if (!is_number(entry.path().filename())) continue;
            std::string status;
            try {
                const auto name = warmvm::read_text_file(entry.path() / "comm");
                if (name != "xenstored\n" && name != "oxenstored\n") continue;
                status = warmvm::read_text_file(entry.path() / "status");
            } catch (const Error&) {
                continue;  // it has ended
            }
            const auto resident = field_in_kib(status, "VmRSS");
            if (!resident) continue;
            // What is swapped out has not gone away.
            values[Value::xenstored] = *resident + field_in_kib(status, "VmSwap").value_or(0);
            return;
        }
        throw Error::of(std::errc::no_such_process, "no xenstored runs in dom0");
    }

    void read_log(Values& values, std::uint64_t from) {
        constexpr std::size_t longest_record = 8192;
        // The kernel's buffer has room for fewer; whoever writes while we read must not hold us.
        constexpr int most_records = 1 << 18;
        const auto log = warmvm::open_file(root_ / "dev/kmsg", O_RDONLY | O_NONBLOCK);
        KernelLog counts(from);
        std::array<char, longest_record> record{};
        for (int i = 0; i < most_records; ++i) {
            const auto got = ::read(log.get(), record.data(), record.size());
            if (got > 0) {
                counts.add({record.data(), static_cast<std::size_t>(got)});
                continue;
            }
            if (got == 0 || errno == EAGAIN) break;
            // EPIPE: records were overwritten before they were read.
            if (errno != EPIPE && errno != EINTR) throw Error::from_errno("read /dev/kmsg");
        }
        values[Value::log_next] = counts.next();
        values[Value::log_errors] = counts.errors();
        values[Value::out_of_memory] = counts.out_of_memory();
    }

    // An operator may resume a guest hours or warm reboots later: that is not what one takes.
    static bool was_left_behind(const GuestTimes& guest, const Timeline& timeline) {
        // The limit is far beyond dom0's boot and a resume with its tries. It counts from dom0's
        // start, which the hypervisor has noted: a killed resume leaves no start of its own.
        constexpr std::uint64_t milliseconds{15 * 60 * 1000};
        return guest.generation > 1 ||
               guest.restore_start > timeline.dom0 + milliseconds * timeline.tsc_khz;
    }

    [[nodiscard]] std::optional<LastReboot> last_reboot() const {
        const auto timeline = load_timeline(timeline_);
        if (!timeline || timeline->tsc_khz == 0) return std::nullopt;
        LastReboot last;
        for (const auto& guest : timeline->guests) {
            if (!guest.suspended || guest.running <= guest.suspended) continue;
            if (was_left_behind(guest, *timeline)) continue;
            ++last.guests;
            const auto ticks = static_cast<double>(guest.running - guest.suspended);
            last.blackout = std::max(last.blackout, ticks / timeline->tsc_khz / 1000);
        }
        if (last.guests == 0) return std::nullopt;
        return last;
    }

    std::filesystem::path root_;
    std::filesystem::path timeline_;
};

}  // namespace

std::unique_ptr<AgingSource> open_aging_source(const std::filesystem::path& root,
                                               const std::filesystem::path& timeline) {
    return std::make_unique<LinuxAgingSource>(root, timeline);
}

}  // namespace roothammer::policy
