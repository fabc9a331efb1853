// SPDX-License-Identifier: GPL-2.0-only
#include "guest/log_dirty_mode.hpp"

#include "base/error.hpp"

namespace warmvm {

Undo in_log_dirty_mode(LogDirty& log_dirty, DomId domain, const std::string& name) {
    if (!log_dirty.enable(domain)) {
        throw Error::of(std::errc::device_or_resource_busy,
                        "guest " + name +
                            ": it is in log-dirty mode already (being migrated, or recorded by "
                            "another), or a device is passed through to it; wait for that to end, "
                            "or detach the device (xl pci-detach)");
    }
    return {[&log_dirty, domain] { log_dirty.disable(domain); },
            "guest " + name + " is still in log-dirty mode, in which it is slower",
            "xl save -c " + name + " FILE switches it off"};
}

}  // namespace warmvm
