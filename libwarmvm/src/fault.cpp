// SPDX-License-Identifier: GPL-2.0-only
#include "warmvm/fault.hpp"

#include <csignal>
#include <cstdlib>
#include <string>

#include "warmvm/error.hpp"

namespace warmvm {
namespace {

struct Passes {
    std::array<unsigned, fault_point_names.size()> fault{};
    std::array<unsigned, fault_point_names.size()> kill{};
};

Passes& passes() {
    static Passes passes;
    return passes;
}

bool is_asked_for(const char* variable, std::size_t index, unsigned& passes) {
    const char* value = std::getenv(variable);
    if (!value) return false;
    const std::string_view asked(value);
    const auto colon = asked.find(':');
    if (asked.substr(0, colon) != fault_point_names.at(index)) return false;
    unsigned long which = 1;
    if (colon != std::string_view::npos) which = std::strtoul(value + colon + 1, nullptr, 10);
    return ++passes == which;
}

}  // namespace

void fault_point(FaultPoint point) {
    const auto index = static_cast<std::size_t>(point);
    if (is_asked_for("ROOTHAMMER_KILL", index, passes().kill.at(index))) std::raise(SIGKILL);
    if (is_asked_for("ROOTHAMMER_FAULT", index, passes().fault.at(index))) {
        throw Error::of(std::errc::io_error,
                        "injected fault at " + std::string(fault_point_names.at(index)));
    }
}

void reset_fault_points() {
    passes() = {};
}

}  // namespace warmvm
