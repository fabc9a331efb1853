// SPDX-License-Identifier: GPL-2.0-only
#include "roothammer/autostart.hpp"

#include "host/preserved_guests.hpp"

namespace roothammer {
namespace {

using warmvm::SetState;

std::string in_words(const PreservedGuest& guest) {
    const auto because = guest.trouble ? " (" + *guest.trouble + ")" : "";
    switch (guest.set.state) {
        case SetState::local:
            return "guest " + guest.name + " is frozen by a warm reboot that did not end";
        case SetState::inherited:
            return "guest " + guest.name + " is preserved and not resumed" + because;
        case SetState::adopted:
            return "guest " + guest.name + " is being resumed, or its resume was killed" + because;
        case SetState::unreadable:
            return guest.name + " is unreadable" + because + "; it may be any guest's";
    }
    return guest.name + " is in a state this program does not know";
}

std::string ways_out(const std::vector<PreservedGuest>& guests) {
    bool resumable = false;
    bool frozen = false;
    bool unreadable = guests.empty();  // frames of nobody's: the record's
    for (const auto& guest : guests) {
        resumable |= guest.set.state == SetState::inherited || guest.set.state == SetState::adopted;
        frozen |= guest.set.state == SetState::local;
        unreadable |= guest.set.state == SetState::unreadable;
    }
    std::string text;
    const auto add = [&](const char* way) {
        text += (text.empty() ? "" : "; ") + std::string(way);
    };
    if (resumable) {
        add("`roothammer resume` brings preserved guests back");
        add("`roothammer rescue NAME FILE` writes one as a save file, and `roothammer discard "
            "NAME` gives its memory up for good");
    }
    if (unreadable) add("`roothammer discard unreadable` gives up for good what cannot be read");
    if (frozen) add("`roothammer recover` lets frozen guests run on");
    return text;
}

}  // namespace

std::vector<std::string> reasons_against_autostart(const Host& host) {
    std::vector<std::string> lines;
    const auto info = host.preserved.info();
    if (!info) return lines;
    const auto guests = preserved_guests(host);
    for (const auto& guest : guests) lines.push_back(in_words(guest));
    if (info->record_reason != warmvm::Reason::none || info->unreadable_frames > 0) {
        const auto why = info->record_reason == warmvm::Reason::none
                             ? std::string()
                             : ": " + std::string(describe(info->record_reason));
        lines.push_back(std::to_string(info->unreadable_frames) +
                        " frames are kept for guests that cannot be told" + why);
    }
    if (lines.empty()) return lines;
    lines.emplace_back(
        "no guest is started by itself now: one whose memory waits would live twice on "
        "one disk");
    lines.push_back("ways out: " + ways_out(guests) + "; then `systemctl start xendomains`");
    return lines;
}

}  // namespace roothammer
