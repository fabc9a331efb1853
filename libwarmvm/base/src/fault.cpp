// SPDX-License-Identifier: GPL-2.0-only
#include "base/fault.hpp"

#include <csignal>
#include <cstdlib>
#include <string>

#include "base/error.hpp"

namespace warmvm {
namespace {

// Only passes over the point that a variable names count: there is one such point at a time.
struct Passes {
    unsigned fault = 0;
    unsigned kill = 0;
};

Passes& passes() {
    static Passes passes;
    return passes;
}

bool is_asked_for(const char* variable, std::string_view name, unsigned& passes) {
    const char* value = std::getenv(variable);
    if (!value) return false;
    const std::string_view asked(value);
    const auto colon = asked.find(':');
    if (asked.substr(0, colon) != name) return false;
    unsigned long which = 1;
    if (colon != std::string_view::npos) which = std::strtoul(value + colon + 1, nullptr, 10);
    return ++passes == which;
}

}  // namespace

void fault_point(std::string_view name) {
    if (is_asked_for("ROOTHAMMER_KILL", name, passes().kill)) std::raise(SIGKILL);
    if (is_asked_for("ROOTHAMMER_FAULT", name, passes().fault)) {
        throw Error::of(std::errc::io_error, "injected fault at " + std::string(name));
    }
}

void reset_fault_points() {
    passes() = {};
}

}  // namespace warmvm
