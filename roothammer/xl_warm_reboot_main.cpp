// SPDX-License-Identifier: GPL-2.0-only
#include "roothammer/command_line.hpp"

int main(int argc, char** argv) {
    return roothammer::run_xl_warm_reboot(argc, argv, roothammer::real_host);
}
