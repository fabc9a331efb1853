// SPDX-License-Identifier: GPL-2.0-only
#include <string_view>

#include "policy/command_line.hpp"
#include "roothammer/real_host.hpp"
#include "roothammer/roothammer.hpp"

int main(int argc, char** argv) {
    // The policy has options of its own, and needs none of the ports.
    if (argc > 1 && std::string_view(argv[1]) == "policy") {
        return roothammer::policy::run_policy(argc - 1, argv + 1);
    }
    return roothammer::run_roothammer(argc, argv, roothammer::real_host());
}
