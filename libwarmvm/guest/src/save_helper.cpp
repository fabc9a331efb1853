// SPDX-License-Identifier: GPL-2.0-only
#include "guest/save_helper.hpp"

#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <exception>
#include <optional>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/version.hpp"

namespace warmvm {
namespace {

constexpr int exit_protocol = 2;

volatile std::sig_atomic_t terminated = 0;

void on_sigterm(int) {
    terminated = 1;
}

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

SaveRequest read_save_request(Arguments& arguments) {
    SaveRequest request;
    request.fd = arguments.number<int>();
    request.back_fd = arguments.number<int>();
    request.domain = DomId(arguments.number());
    request.live = (arguments.number() & save_helper::flag_live) != 0;
    request.callbacks = arguments.number<unsigned>();
    request.stream = static_cast<StreamKind>(arguments.number());
    arguments.done();
    return request;
}

RestoreRequest read_restore_request(Arguments& arguments) {
    RestoreRequest request;
    request.fd = arguments.number<int>();
    request.back_fd = arguments.number<int>();
    request.domain = DomId(arguments.number());
    request.channels.store_port = Port(arguments.number());
    request.channels.store_domid = DomId(arguments.number());
    request.channels.console_port = Port(arguments.number());
    request.channels.console_domid = DomId(arguments.number());
    request.callbacks = arguments.number<unsigned>();
    request.stream = static_cast<StreamKind>(arguments.number());
    arguments.done();
    return request;
}

int errno_of(const std::exception& error) {
    const auto* system = dynamic_cast<const std::system_error*>(&error);
    if (!system) return EIO;
    const auto& code = system->code();
    return code.category() == std::generic_category() ? code.value() : EINVAL;
}

void save(SaveHelper& helper, const SaveRequest& request, HelperConversation& libxl) {
    const HeldSave gate;
    try {
        helper.save(request, libxl, gate);
    } catch (...) {
        gate.end(libxl.may_yet_suspend() ? HelperOutcome::did_not_suspend : HelperOutcome::failed);
        throw;
    }
    gate.end(HelperOutcome::done);
}

}  // namespace

void HelperConversation::take_signals() {
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) throw Error::from_errno("prctl");
    struct sigaction action {};
    action.sa_handler = on_sigterm;
    if (::sigaction(SIGTERM, &action, nullptr) < 0) throw Error::from_errno("sigaction");
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    if (::sigprocmask(SIG_BLOCK, &term, &unblocked_) < 0) throw Error::from_errno("sigprocmask");
    sigdelset(&unblocked_, SIGTERM);
    std::signal(SIGPIPE, SIG_IGN);
}

void HelperConversation::send(const save_helper::Message& message) {
    write_exactly(STDOUT_FILENO, message, "message to libxl");
}

int HelperConversation::reply() {
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

bool HelperConversation::suspend() {
    may_yet_suspend_ = true;
    const bool suspended = ask<save_helper::Suspend>() != 0;
    may_yet_suspend_ = !suspended;
    return suspended;
}

void HelperConversation::log_error(const std::string& text) {
    constexpr auto no_errno = ~std::uint32_t{0};
    tell<save_helper::Log>(save_helper::log_level_error, no_errno, program_, text);
}

namespace {

// What people may ask of such a program; nullopt if it is libxl that has started it.
std::optional<std::string> answer(const std::string& program, std::string_view word) {
    if (word == "--version") return program + " " + std::string(version()) + "\n";
    if (word != "--help") return std::nullopt;
    return program +
           ": libxl's save helper (LIBXL_SAVE_HELPER). libxl starts it, with --save-domain or\n"
           "--restore-domain, and talks with it over its standard input and output.\n";
}

}  // namespace

int run_save_helper(const std::string& program, int argc, char** argv, SaveHelper& helper) {
    HelperConversation libxl(program);
    try {
        Arguments arguments(argc - 1, argv + 1);
        const auto mode = arguments.text();
        if (const auto text = answer(program, mode)) {
            std::fputs(text->c_str(), stdout);
            return 0;
        }
        if (mode != "--save-domain" && mode != "--restore-domain") {
            throw Error::of(std::errc::invalid_argument, std::string(mode));
        }
        libxl.take_signals();
        try {
            if (mode == "--save-domain") {
                save(helper, read_save_request(arguments), libxl);
            } else {
                helper.restore(read_restore_request(arguments), libxl);
            }
            libxl.ask<save_helper::Complete>(0, 0);
        } catch (const std::exception& error) {
            libxl.log_error(error.what());
            libxl.ask<save_helper::Complete>(-1, errno_of(error));
        }
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", program.c_str(), error.what());
        return exit_protocol;
    }
}

}  // namespace warmvm
