// SPDX-License-Identifier: GPL-2.0-only
#include "guest/save_file.hpp"
#include "harness.hpp"

FUZZ_BYTES(bytes) {
    const auto file = warmvm::read_save_file(bytes);
    (void)warmvm::guest_kind(file);
    const auto name = warmvm::guest_name(file);
    must(!name.empty() && name.find('/') == std::string::npos && name.size() < 128);
}
