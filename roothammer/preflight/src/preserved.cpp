// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>

#include "checks.hpp"
#include "guest/running_guests.hpp"
#include "host/preserved_guests.hpp"

namespace roothammer {
namespace {

// Once both a guest and its twin are preserved nothing tells which of the two is the older, and the
// older memory on disks that the newer has written destroys them.
void check_carried(Checked& checked, const PreservedGuest& guest) {
    const auto running = running_guests(checked.host.domains, checked.host.store);
    const auto twin = std::ranges::any_of(running, [&](const auto& other) {
        return other.name == guest.name || other.info.uuid == guest.set.uuid;
    });
    if (twin) {
        // Not "or destroy the running guest": it has written its disks by now.
        const bool quoted = guest.name.find(' ') != std::string::npos;
        checked.refuse("guest " + guest.name,
                       "its memory is preserved, and a guest of its name or uuid runs beside it",
                       "give the preserved memory up: roothammer discard " +
                           (quoted ? "'" + guest.name + "'" : guest.name));
    } else {
        checked.note("guest " + guest.name,
                     "preserved and not resumed since the last warm reboot; it is carried along");
    }
}

}  // namespace

void check_preserved(Checked& checked) {
    for (const auto& guest : preserved_guests(checked.host)) {
        switch (guest.set.state) {
            case warmvm::SetState::local:
                checked.refuse("guest " + guest.name, "it is frozen by an earlier try",
                               "run `roothammer recover`");
                break;
            case warmvm::SetState::adopted:
                checked.refuse("guest " + guest.name, "its resume has not ended",
                               "run `roothammer resume " + guest.name + "` again");
                break;
            case warmvm::SetState::inherited:
                check_carried(checked, guest);
                break;
            case warmvm::SetState::unreadable:
                checked.note(guest.name, "unreadable (" + guest.trouble.value_or("") +
                                             "); its frames stay reserved");
                break;
        }
    }
}

}  // namespace roothammer
