// SPDX-License-Identifier: GPL-2.0-only
#include "checks.hpp"

namespace roothammer {

bool check_hypervisor(Checked& checked) {
    const auto version = checked.host.domains.version();
    const auto running = "Xen " + std::to_string(version.major) + "." +
                         std::to_string(version.minor) + version.extra;
    const auto info = checked.host.preserved.info();
    if (!info) {
        checked.refuse("hypervisor", running + " cannot preserve memory over a reboot",
                       "boot a hypervisor that is built with CONFIG_PRESERVED_MEMORY");
        return false;
    }
    checked.info = *info;
    checked.ok("hypervisor", running + " preserves memory; " + std::to_string(info->generation) +
                                 " warm boots since the last cold one");
    if (!info->range) {
        checked.refuse("range", std::string(describe(warmvm::Reason::no_range)),
                       std::string(mend(warmvm::Reason::no_range)));
    }
    if (info->armed) {
        checked.refuse("hypervisor", "a warm reboot is armed already",
                       "run `roothammer recover`, which disarms it");
    }
    return true;
}

}  // namespace roothammer
