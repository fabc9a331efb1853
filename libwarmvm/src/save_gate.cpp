// SPDX-License-Identifier: GPL-2.0-only
#include "warmvm/save_gate.hpp"

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

#include "warmvm/error.hpp"

namespace warmvm {
namespace {

constexpr const char* gate_variable = "WARMVM_SAVE_GATE";
constexpr char octet = '.';

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

void SaveGate::wait_until_reached(std::chrono::steady_clock::time_point deadline) const {
    pollfd end{starter_.get(), POLLIN, 0};
    int ready = 0;
    do {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        ready = ::poll(&end, 1, static_cast<int>(std::max(left.count(), std::int64_t{0})));
        if (ready < 0 && errno != EINTR) throw Error::from_errno("poll");
    } while (ready < 0);
}

void SaveGate::open() const {
    // One who is not there any more has a result that says why.
    if (::send(starter_.get(), &octet, 1, MSG_NOSIGNAL) < 0 && errno != EPIPE) {
        throw Error::from_errno("send to the save helper");
    }
}

void wait_at_save_gate(const sigset_t& blocked) {
    const char* value = std::getenv(gate_variable);
    if (!value) return;
    const Fd gate(descriptor_of(value));
    if (::send(gate.get(), &octet, 1, MSG_NOSIGNAL) != 1) {
        throw Error::from_errno("send to whoever started the save");
    }
    pollfd end{gate.get(), POLLIN, 0};
    if (::ppoll(&end, 1, nullptr, &blocked) < 0)
        throw Error::from_errno("wait for the save's turn");
    char answer = 0;
    if (::read(gate.get(), &answer, 1) != 1) {
        throw Error::of(std::errc::operation_canceled, "whoever started the save has given it up");
    }
}

}  // namespace warmvm
