// SPDX-License-Identifier: GPL-2.0-only
#include "roothammer/real_host.hpp"
#include "roothammer/xl_warm_reboot.hpp"

int main(int argc, char** argv) {
    return roothammer::run_xl_warm_reboot(argc, argv, roothammer::real_host());
}
