// SPDX-License-Identifier: GPL-2.0-only
// Guests that somebody else is at work on or keeps as they are: saved, migrated, paused, crashed.
// Neither a freeze nor --on-guest-failure shutdown may touch one, and no advice may.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "xen/domain_control.hpp"
#include "xen/preserved_memory.hpp"
#include "xen/store.hpp"

namespace roothammer {

struct OtherHands {
    std::string text;  // "it is suspended, and not by a warm reboot"
    std::string mend;  // what an operator can do or wait for
};

// nullopt in all of them: not that anything tells.
std::optional<OtherHands> in_other_hands(const warmvm::DomainInfo& info);
// By its name: while a guest is migrated in, or has been migrated away.
std::optional<OtherHands> in_migration(std::string_view name);
// Somebody has asked it to suspend, and it has not taken that up.
std::optional<OtherHands> asked_by_others(warmvm::Store& store, warmvm::DomId domain);
// While its memory is copied as it runs. What PreservedMemory::check() says of it.
using CheckVerdict = std::variant<warmvm::PreservedSet, warmvm::Refusal>;
std::optional<OtherHands> in_log_dirty_mode(const CheckVerdict& verdict);

}  // namespace roothammer
