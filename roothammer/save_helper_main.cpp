// SPDX-License-Identifier: GPL-2.0-only
#include "warmvm/save_helper.hpp"

int main(int argc, char** argv) {
    return warmvm::run_save_helper(argc, argv);
}
