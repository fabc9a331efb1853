// SPDX-License-Identifier: GPL-2.0-only
#include <sstream>

#include "roothammer/preflight.hpp"

namespace roothammer {

std::string next_kernel_commandline(const std::string& running) {
    constexpr std::string_view no_tests = "cryptomgr.notests";
    // The rest stays as it is written: a value may be quoted, with blanks in it.
    std::string next = running.substr(0, running.find_last_not_of(" \n") + 1);
    std::istringstream words(next);
    for (std::string word; words >> word;) {
        // Whoever asks for certified cryptography, or for a panic when it fails, wants the tests.
        if (word.starts_with(no_tests) || word.starts_with("fips=") ||
            word.starts_with("cryptomgr.panic_on_fail")) {
            return next;
        }
    }
    if (!next.empty()) next += ' ';
    return next + std::string(no_tests);
}

}  // namespace roothammer
