// SPDX-License-Identifier: GPL-2.0-only
#include <array>
#include <cstdio>
#include <sstream>

#include "roothammer/preflight.hpp"

namespace roothammer {

std::string next_xen_commandline(const std::string& running) {
    constexpr std::string_view no_real_mode = "no-real-mode";
    std::string next;
    std::istringstream words(running);
    for (std::string word; words >> word;) {
        if (word == no_real_mode || word.starts_with("liveupdate=") ||
            word.starts_with("preserved-token=")) {
            continue;
        }
        next += word + " ";
    }
    return next + std::string(no_real_mode);
}

std::string with_token(const std::string& commandline, std::uint64_t token) {
    std::array<char, 17> hex{};
    std::snprintf(hex.data(), hex.size(), "%016llx", static_cast<unsigned long long>(token));
    return commandline + " preserved-token=" + hex.data();
}

}  // namespace roothammer
