// SPDX-License-Identifier: GPL-2.0-only
#include "host/host.hpp"

namespace roothammer {

warmvm::Lock take_lock(const std::filesystem::path& file) {
    return warmvm::Lock::take(file, "another warm reboot or resume");
}

}  // namespace roothammer
