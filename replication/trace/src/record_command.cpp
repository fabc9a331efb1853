// SPDX-License-Identifier: GPL-2.0-only
#include "commands.hpp"

#include <poll.h>
#include <signal.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <functional>
#include <optional>
#include <utility>

#include "base/process.hpp"
#include "guest_recorder.hpp"
#include "process_tree.hpp"
#include "recorder.hpp"

namespace replication::trace {
namespace {

// Thrown when the user asks for an end of the recording. What has been recorded by then is a trace.
struct Interrupted {};

// While an object of this class lives, a signal that asks the program to end only makes it remember
// the request. A program that ended at once might leave a guest paused or in log-dirty mode, or a
// process stopped or with another's registers.
class EndRequest {
  public:
    EndRequest() {
        struct sigaction action {};
        action.sa_flags = SA_RESTART;  // the request is looked at between epochs only
        action.sa_handler = [](int) { requested = 1; };
        for (std::size_t i = 0; i < asking.size(); ++i) ::sigaction(signals[i], &action, &old_[i]);
        // A write that fails returns an error instead of ending the program: the reader of our
        // output may have gone, or the file be as large as it may become.
        action.sa_handler = SIG_IGN;
        for (std::size_t i = asking.size(); i < signals.size(); ++i)
            ::sigaction(signals[i], &action, &old_[i]);
    }
    ~EndRequest() {
        for (std::size_t i = 0; i < signals.size(); ++i) ::sigaction(signals[i], &old_[i], nullptr);
    }
    EndRequest(const EndRequest&) = delete;
    EndRequest& operator=(const EndRequest&) = delete;

    // Sleeps, at most until such a signal comes. Throws Interrupted if one has come since the
    // object was made.
    static void sleep(std::chrono::microseconds time) {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
        const std::chrono::nanoseconds rest = time - seconds;
        const timespec left{seconds.count(), rest.count()};
        // The signals are blocked except inside ppoll, so that none comes between the look at
        // `requested` and the sleep.
        sigset_t asked;
        sigset_t before;
        sigemptyset(&asked);
        for (const int signal : asking) sigaddset(&asked, signal);
        ::sigprocmask(SIG_BLOCK, &asked, &before);
        if (requested == 0 && time.count() > 0) ::ppoll(nullptr, 0, &left, &before);
        ::sigprocmask(SIG_SETMASK, &before, nullptr);
        if (requested != 0) throw Interrupted{};
    }

  private:
    static constexpr std::array asking{SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    static constexpr std::array signals{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGXFSZ};
    static volatile std::sig_atomic_t requested;
    std::array<struct sigaction, signals.size()> old_{};
};
volatile std::sig_atomic_t EndRequest::requested = 0;

struct Length {
    std::chrono::milliseconds interval;
    unsigned epochs;
};

// has_ended: whether what is recorded is no more. The trace ends with its last whole epoch then.
template <class AnyRecorder>
void record(AnyRecorder& recorder, const Length& length, const std::string& out,
            const std::function<bool()>& has_ended) {
    recorder.first_image();
    const std::uint64_t image = recorder.pages_written();
    unsigned epochs = 0;
    const char* why = nullptr;
    try {
        for (; epochs < length.epochs; ++epochs) recorder.epoch(length.interval);
    } catch (const Interrupted&) {
        why = "interrupted";
    } catch (const warmvm::Error&) {
        if (epochs == 0 || !has_ended()) throw;
        why = "the process has ended";
    }
    recorder.close();
    if (why) std::fprintf(stderr, "replication-trace: %s; the trace ends here\n", why);
    std::printf("%s: %u epochs of %lld ms, %llu pages at the start, %llu written\n", out.c_str(),
                epochs, static_cast<long long>(length.interval.count()),
                static_cast<unsigned long long>(image),
                static_cast<unsigned long long>(recorder.pages_written() - image));
}

void record_guest(const std::string& name_or_domid, std::chrono::milliseconds warm_up,
                  const Length& length, const std::string& out) {
    const auto domains = warmvm::open_domain_control();
    const auto store = warmvm::open_store();
    const auto memory = warmvm::open_guest_memory();
    const auto log_dirty = warmvm::open_log_dirty();
    const GuestPorts ports{*domains, *store, *memory, *log_dirty};
    find_guest(ports, name_or_domid);  // one that cannot be recorded is refused before the wait
    EndRequest::sleep(warm_up);
    GuestRecorder recorder(ports, find_guest(ports, name_or_domid), out, EndRequest::sleep);
    record(recorder, length, out, [] { return false; });
}

void record_processes(pid_t root, std::chrono::milliseconds warm_up, const Length& length,
                      const std::string& out) {
    if (has_ended(root))
        throw warmvm::Error::of(std::errc::no_such_process, "process " + std::to_string(root));
    // It would not stop either, which would be waited for.
    if (!has_memory(root))
        throw warmvm::Error::of(std::errc::invalid_argument,
                                "process " + std::to_string(root) +
                                    " is a thread of the kernel and has no memory of its own");
    EndRequest::sleep(warm_up);
    Recorder recorder(root, out, EndRequest::sleep);
    record(recorder, length, out, [&] { return has_ended(root); });
}

}  // namespace

int record_command(const warmvm::Words& arguments) {
    namespace po = boost::program_options;
    constexpr pid_t highest_pid = 1 << 22;  // PID_MAX_LIMIT, of Linux
    constexpr unsigned most_epochs = 1'000'000;
    constexpr unsigned longest_warm_up = 24 * 3600 * 1000;
    std::string out;
    Length length{};
    std::chrono::milliseconds warm_up{};
    pid_t pid = 0;
    std::string domain;
    po::options_description description(
        "replication-trace record --out FILE (--pid PID | --domain NAME | -- COMMAND ...)");
    description.add_options()("out", po::value(&out), "trace to write")(
        "pid", warmvm::whole_number_into(pid, "pid", 1, highest_pid),
        "process to record, with its descendants")("domain", po::value(&domain),
                                                   "guest to record, name or domid; in dom0")(
        "interval",
        warmvm::whole_number_into(length.interval, "interval", 1, longest_interval)
            ->default_value("100"),
        "length of an epoch, ms")(
        "epochs",
        warmvm::whole_number_into(length.epochs, "epochs", 1, most_epochs)->default_value("100"),
        "epochs to record")(
        "warm-up",
        warmvm::whole_number_into(warm_up, "warm-up", 0, longest_warm_up)->default_value("0"),
        "time before the first image, ms");
    const auto line = warmvm::parse_command_line(arguments, description);
    const auto& command = line.words;
    if (out.empty()) throw warmvm::UsageError("--out FILE is missing");
    if (line.options.count("pid") + line.options.count("domain") + (command.empty() ? 0 : 1) != 1)
        throw warmvm::UsageError("one of --pid, --domain and a command is wanted");

    std::optional<warmvm::Process> child;
    if (!command.empty()) {
        warmvm::ProcessRequest request{command, {}, {}};
        request.keeps_streams = request.leads_group = true;
        child.emplace(std::move(request));
    }
    // This comes after the start of the command, in which an ignored signal would stay ignored.
    const EndRequest end;
    try {
        if (line.options.contains("domain")) {
            record_guest(domain, warm_up, length, out);
        } else {
            record_processes(child ? child->pid() : pid, warm_up, length, out);
        }
    } catch (const Interrupted&) {
        throw warmvm::Error::of(
            std::errc::operation_canceled,
            "interrupted before the recording began; nothing was written to " + out);
    }
    return 0;
}

}  // namespace replication::trace
