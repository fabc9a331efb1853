// SPDX-License-Identifier: GPL-2.0-only
// What a preflight found, for the operator and as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "host/plan.hpp"

namespace roothammer {

enum class Verdict { ok, note, refused };

struct Finding {
    Verdict verdict{};
    std::string subject;  // "hypervisor", "range", "guest web1", ...
    std::string text;     // what was found
    std::string mend;     // refused: how to put it right
    bool about_guest = false;
};

// Room in the reserved range, item by item.
struct RoomItem {
    std::string what;
    std::uint64_t bytes{};
};

struct Report {
    std::vector<Finding> findings;
    std::vector<RoomItem> room;
    std::uint64_t room_needed{};
    std::uint64_t room_reserved{};
    std::vector<PlannedGuest> guests;  // the plan's
    warmvm::Bytes unpacked_kernel;     // to be loaded as dom0's kernel; empty: the file itself
    [[nodiscard]] bool refused() const;
    // The host was refused, not only guests.
    [[nodiscard]] bool host_refused() const;
};

std::string to_json(const Report& report);
std::string to_text(const Report& report);

}  // namespace roothammer
