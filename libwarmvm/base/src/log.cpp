// SPDX-License-Identifier: GPL-2.0-only
#include "base/log.hpp"

#include <cerrno>
#include <cstdio>

namespace warmvm {
namespace {

std::function<void(const std::string&)>& log_sink() {
    static std::function<void(const std::string&)> sink;
    return sink;
}

}  // namespace

void set_log(std::function<void(const std::string&)> sink) {
    log_sink() = std::move(sink);
}

void log(const std::string& line) {
    if (log_sink()) {
        log_sink()(line);
        return;
    }
    std::fprintf(stderr, "%s: %s\n", ::program_invocation_short_name, line.c_str());
    std::fflush(stderr);
}

}  // namespace warmvm
