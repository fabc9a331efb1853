// SPDX-License-Identifier: GPL-2.0-only
// The conversation with libxl (libxl_save_helper.c). Losing libxl, or SIGTERM from it, ends the
// save like any other failure: the set is released.
#include "warmvm/save_helper.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string_view>
#include <vector>

#include "save_helper_protocol.hpp"
#include "warmvm/file.hpp"
#include "warmvm/save_gate.hpp"
#include "xen_c.hpp"

namespace warmvm {
namespace {

constexpr int exit_protocol = 2;
constexpr std::string_view program = "warmvm-save-helper";

volatile std::sig_atomic_t terminated = 0;

void on_sigterm(int) {
    terminated = 1;
}

class Conversation {
  public:
    void send(const save_helper::Message& message) {
        write_exactly(STDOUT_FILENO, message, "message to libxl");
    }

    int reply() {
        // SIGTERM is blocked but for the wait, so none is missed between a look and the read.
        pollfd input{STDIN_FILENO, POLLIN, 0};
        while (::ppoll(&input, 1, nullptr, &unblocked_) < 0) {
            if (errno != EINTR) throw Error::from_errno("ppoll");
            if (terminated) throw Error::of(std::errc::operation_canceled, "libxl gave up");
        }
        int value = 0;
        read_exactly(STDIN_FILENO, std::as_writable_bytes(std::span(&value, 1)), "reply of libxl");
        return value;
    }

    // Libxl is silent meanwhile: if it ends, so do we (take_signals).
    void wait_for_turn() const { wait_at_save_gate(unblocked_); }

    template <class Call, class... Args>
    int ask(Args... arguments) {
        static_assert(Call::replies);
        send(Call::encode(arguments...));
        return reply();
    }

    void log(xentoollog_level level, const std::string& text) {
        constexpr auto no_errno = ~std::uint32_t{0};
        send(save_helper::Log::encode(static_cast<std::uint32_t>(level), no_errno, program, text));
    }

    void take_signals() {
        // Without xl there is nobody to wake the guest that this would suspend or preserve.
        if (::prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) throw Error::from_errno("prctl");
        struct sigaction action {};
        action.sa_handler = on_sigterm;
        if (::sigaction(SIGTERM, &action, nullptr) < 0) throw Error::from_errno("sigaction");
        sigset_t term;
        sigemptyset(&term);
        sigaddset(&term, SIGTERM);
        if (::sigprocmask(SIG_BLOCK, &term, &unblocked_) < 0)
            throw Error::from_errno("sigprocmask");
        sigdelset(&unblocked_, SIGTERM);
        std::signal(SIGPIPE, SIG_IGN);
    }

  private:
    sigset_t unblocked_{};
};

class Arguments {
  public:
    Arguments(int argc, char** argv) : left_(argv, argv + argc) {}
    std::string_view text() {
        if (at_ >= left_.size()) throw Error::of(std::errc::invalid_argument, "too few arguments");
        return left_[at_++];
    }
    template <class T = std::uint32_t>
    T number() {
        const auto word = text();
        T value{};
        const auto [end, error] = std::from_chars(word.begin(), word.end(), value);
        if (error != std::errc{} || end != word.end()) {
            throw Error::of(std::errc::invalid_argument, std::string(word));
        }
        return value;
    }
    void done() const {
        if (at_ != left_.size()) throw Error::of(std::errc::invalid_argument, "too many arguments");
    }

  private:
    std::vector<std::string_view> left_;
    std::size_t at_ = 0;
};

struct RealPorts {
    std::unique_ptr<DomainControl> domains = open_domain_control();
    std::unique_ptr<GuestContext> context = open_guest_context();
    std::unique_ptr<GuestMemory> memory = open_guest_memory();
    std::unique_ptr<PreservedMemory> preserved = open_preserved_memory();
    [[nodiscard]] HelperPorts view() const { return {*domains, *context, *memory, *preserved}; }
};

void require_plain_stream(std::uint32_t type) {
    if (type != XC_STREAM_PLAIN) {
        throw Error::of(std::errc::not_supported, "a checkpointed stream");
    }
}

void save(Arguments& arguments, Conversation& libxl) {
    const int fd = arguments.number<int>();
    (void)arguments.number<int>();  // the back channel, which plain saves do not have
    const DomId domain(arguments.number());
    const auto flags = arguments.number();
    const auto wanted = arguments.number();
    require_plain_stream(arguments.number());
    arguments.done();
    if (flags & XCFLAGS_LIVE) throw Error::of(std::errc::not_supported, "a live migration");
    if (!(wanted & save_helper::Suspend::flag)) {
        throw Error::of(std::errc::protocol_error, "libxl has no suspend callback");
    }
    const RealPorts ports;
    check_hypervisor_version(*ports.domains);
    save_preserved(
        ports.view(), domain, [&] { libxl.wait_for_turn(); },
        [&] { return libxl.ask<save_helper::Suspend>() != 0; },
        [&](ByteView image) { write_exactly(fd, image, "image"); });
}

void restore(Arguments& arguments, Conversation& libxl) {
    const int fd = arguments.number<int>();
    (void)arguments.number<int>();
    const DomId domain(arguments.number());
    RestoreChannels channels;
    channels.store_port = Port(arguments.number());
    channels.store_domid = DomId(arguments.number());
    channels.console_port = Port(arguments.number());
    channels.console_domid = DomId(arguments.number());
    const auto wanted = arguments.number();
    require_plain_stream(arguments.number());
    arguments.done();
    const RealPorts ports;
    check_hypervisor_version(*ports.domains);
    FdSource source(fd, "image");
    const auto results =
        restore_preserved(ports.view(), domain, source, channels, [&](unsigned missing) {
            return wanted & save_helper::StaticDataDone::flag
                       ? libxl.ask<save_helper::StaticDataDone>(missing)
                       : 0;
        });
    libxl.send(save_helper::RestoreResults::encode(results.store_gfn, results.console_gfn));
}

int errno_of(const std::exception& error) {
    const auto* system = dynamic_cast<const std::system_error*>(&error);
    if (!system) return EIO;
    const auto& code = system->code();
    return code.category() == std::generic_category() ? code.value() : EINVAL;
}

}  // namespace

int run_save_helper(int argc, char** argv) {
    Conversation libxl;
    try {
        Arguments arguments(argc - 1, argv + 1);
        const auto mode = arguments.text();
        libxl.take_signals();
        try {
            if (mode == "--save-domain") {
                save(arguments, libxl);
            } else if (mode == "--restore-domain") {
                restore(arguments, libxl);
            } else {
                throw Error::of(std::errc::invalid_argument, std::string(mode));
            }
            libxl.ask<save_helper::Complete>(0, 0);
        } catch (const std::exception& error) {
            libxl.log(XTL_ERROR, error.what());
            libxl.ask<save_helper::Complete>(-1, errno_of(error));
        }
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", program.data(), error.what());
        return exit_protocol;
    }
}

}  // namespace warmvm
