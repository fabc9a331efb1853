// SPDX-License-Identifier: GPL-2.0-only
#include "guest/save_gate.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.hpp"

namespace warmvm {
namespace {

constexpr const char* gate_variable = "WARMVM_SAVE_GATE";
constexpr char held = '.';
constexpr char go = '.';

int descriptor_of(std::string_view text) {
    int fd = -1;
    const auto [end, error] = std::from_chars(text.begin(), text.end(), fd);
    if (error != std::errc{} || end != text.end() || fd < 0) {
        throw Error::of(std::errc::invalid_argument, gate_variable + ("=" + std::string(text)));
    }
    return fd;
}

}  // namespace

SaveGate::SaveGate() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) < 0) {
        throw Error::from_errno("socketpair");
    }
    starter_ = Fd(ends[0]);
    helper_ = Fd(ends[1]);
}

std::pair<std::string, std::string> SaveGate::variable() const {
    return {gate_variable, std::to_string(helper_.get())};
}

void SaveGate::wait_until_held(std::chrono::steady_clock::time_point deadline) const {
    pollfd end{starter_.get(), POLLIN, 0};
    int ready = 0;
    do {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        ready = ::poll(&end, 1, static_cast<int>(std::max(left.count(), std::int64_t{0})));
        if (ready < 0 && errno != EINTR) throw Error::from_errno("poll");
    } while (ready < 0);
}

void SaveGate::let_go() {
    let_go_ = ::send(starter_.get(), &go, 1, MSG_NOSIGNAL) == 1;
    // A helper that is not there any more has a result that says why.
    if (!let_go_ && errno != EPIPE) throw Error::from_errno("send to the save helper");
}

void SaveGate::take_words() {
    std::array<char, 8> words{};
    const auto got = ::recv(starter_.get(), words.data(), words.size(), MSG_DONTWAIT);
    for (const char word :
         std::span(words).first(static_cast<std::size_t>(std::max<ssize_t>(got, 0)))) {
        switch (const auto outcome = static_cast<HelperOutcome>(word)) {
            case HelperOutcome::done:
            case HelperOutcome::did_not_suspend:
            case HelperOutcome::failed:
                outcome_ = outcome;
                break;
            default:
                was_held_ = was_held_ || word == held;
        }
    }
}

std::optional<HelperOutcome> SaveGate::outcome() {
    take_words();
    return outcome_;
}

bool SaveGate::has_died() {
    take_words();
    return was_held_ && let_go_ && !outcome_;
}

HeldSave::HeldSave() {
    if (const char* value = std::getenv(gate_variable)) gate_ = Fd(descriptor_of(value));
}

void HeldSave::hold(const sigset_t& blocked) const {
    if (!gate_.is_open()) return;
    if (::send(gate_.get(), &held, 1, MSG_NOSIGNAL) != 1) {
        throw Error::from_errno("send to whoever started the save");
    }
    pollfd end{gate_.get(), POLLIN, 0};
    if (::ppoll(&end, 1, nullptr, &blocked) < 0) {
        throw Error::from_errno("wait for the save's turn");
    }
    char answer = 0;
    if (::read(gate_.get(), &answer, 1) != 1) {
        throw Error::of(std::errc::operation_canceled, "whoever started the save has given it up");
    }
}

void HeldSave::end(HelperOutcome outcome) const noexcept {
    if (!gate_.is_open()) return;
    const char word = static_cast<char>(outcome);
    (void)::send(gate_.get(), &word, 1, MSG_NOSIGNAL);
}

}  // namespace warmvm
