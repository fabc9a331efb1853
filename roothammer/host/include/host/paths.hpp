// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <filesystem>
#include <string>

#include "xen/types.hpp"

namespace roothammer {

struct Paths {
    std::filesystem::path run = "/run/roothammer";        // of this boot
    std::filesystem::path state = "/var/lib/roothammer";  // over boots
    std::filesystem::path config = "/etc/xen/roothammer.conf";
    [[nodiscard]] std::filesystem::path plan() const { return run / "plan.json"; }
    [[nodiscard]] std::filesystem::path session_lock() const { return run / "session.lock"; }
    [[nodiscard]] std::filesystem::path work_lock() const { return run / "work.lock"; }
    [[nodiscard]] std::filesystem::path image(warmvm::DomId domain) const {
        return run / (str(domain) + ".save");
    }
    [[nodiscard]] std::filesystem::path image(warmvm::SetId set) const {
        return run / ("set" + std::to_string(set.value()) + ".save");
    }
    [[nodiscard]] std::filesystem::path timeline() const { return state / "last.json"; }
};

}  // namespace roothammer
