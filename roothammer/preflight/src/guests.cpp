// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>

#include "checks.hpp"
#include "guest/running_guests.hpp"
#include "guest/save_file.hpp"
#include "preflight/other_hands.hpp"

namespace roothammer {
namespace {

// How far the plan of an earlier try in this boot has come with the guest.
std::optional<GuestStage> earlier_stage(const Host& host, const warmvm::RunningGuest& guest) {
    const auto plan = load_plan_of(host.system.boot_id(), host.paths.plan());
    if (!plan) return std::nullopt;
    for (const auto& planned : plan->guests) {
        if (planned.domid == guest.info.id && planned.uuid == guest.info.uuid) return planned.stage;
    }
    return std::nullopt;
}

// What of the guest is somebody else's: not to be shut down either.
std::vector<OtherHands> other_hands(const Checked& checked, const warmvm::RunningGuest& guest,
                                    const std::optional<CheckVerdict>& verdict) {
    std::vector<OtherHands> found;
    const auto add = [&](std::optional<OtherHands> others) {
        if (others) found.push_back(std::move(*others));
    };
    add(in_migration(guest.name));
    add(in_other_hands(guest.info));
    if (verdict) {
        add(asked_by_others(checked.host.store, guest.info.id));
        add(in_log_dirty_mode(*verdict));
    }
    if (!guest.known_to_libxl) {
        found.push_back({"libxl does not know it", "end it with what has made it"});
    }
    if (found.empty()) return found;
    const auto stage = earlier_stage(checked.host, guest);
    if (stage == GuestStage::suspending) {
        return {{"an earlier try has asked it to suspend, and was cut short",
                 "run `roothammer recover`"}};
    }
    // A late answer or another program's work: the operator has to tell which.
    if (stage == GuestStage::unanswered && guest.info.is_suspended()) {
        found.front().mend +=
            "; if nothing saves or migrates it, it has answered an earlier try "
            "too late: roothammer recover " +
            guest.name;
    }
    return found;
}

void check_guest(Checked& checked, const warmvm::RunningGuest& guest, const CheckVerdict& verdict) {
    const auto no = [&](std::string text, std::string mend) {
        checked.refuse("guest " + guest.name, std::move(text), std::move(mend), true);
    };
    const auto& info = guest.info;
    if (!warmvm::is_guest_name(guest.name)) {
        no("its name has spaces, control characters or '/', or is longer than 127 octets",
           "xl rename " + std::to_string(info.id.value()) + " NAME");
    }
    if (guest.known_to_libxl && info.kind == warmvm::GuestKind::hvm) {
        no("an HVM guest with a device model cannot be carried yet",
           "shut it down, or run it as PVH (type=\"pvh\")");
    }
    if (info.is_pv() && info.pv_width != 8) {
        no("a 32-bit PV guest cannot be carried", "run a 64-bit kernel, or shut it down");
    }
    if (!guest.can_suspend) {
        no("it has no PV drivers that can suspend (control/feature-suspend)",
           "boot it with a kernel that has Xen's PV drivers, or shut it down");
    }
    const auto* const refusal = std::get_if<warmvm::Refusal>(&verdict);
    if (refusal != nullptr && refusal->reason != warmvm::Reason::log_dirty) {
        const auto way_out = mend(refusal->reason);
        no(refusal->str(), way_out.empty() ? "shut it down" : std::string(way_out));
    }
}

// Whether the guest is an unfinished freeze's or resume's, which is refused as such.
bool is_unfinished(const warmvm::RunningGuest& guest,
                   const std::vector<warmvm::PreservedSet>& sets) {
    return std::ranges::any_of(sets, [&](const auto& set) {
        return set.domid == guest.info.id &&
               (set.state == warmvm::SetState::local || set.state == warmvm::SetState::adopted);
    });
}

}  // namespace

void check_guests(Checked& checked, OnGuestFailure policy) {
    auto& findings = checked.report.findings;
    const auto sets = checked.host.preserved.sets();
    for (const auto& guest : running_guests(checked.host.domains, checked.host.store)) {
        if (is_unfinished(guest, sets)) continue;
        std::optional<CheckVerdict> verdict;  // of one that has not shut down
        if (!guest.info.shutdown) verdict = checked.host.preserved.check(guest.info.id);
        const auto others = other_hands(checked, guest, verdict);
        for (const auto& each : others) {
            checked.refuse("guest " + guest.name, each.text, each.mend, true);
        }
        const auto before = findings.size();
        if (verdict) check_guest(checked, guest, *verdict);
        const bool fit = others.empty() && findings.size() == before;
        if (fit) {
            checked.ok("guest " + guest.name, std::string(str(guest.info.kind)) + ", " +
                                                  in_mib(guest.info.frames * warmvm::page_size));
        } else if (policy == OnGuestFailure::shutdown && others.empty()) {
            for (auto i = before; i < findings.size(); ++i) {
                findings[i].verdict = Verdict::note;
                findings[i].text += "; it will be shut down";
            }
        }
        checked.report.guests.push_back({guest.info.id, guest.name, guest.info.uuid,
                                         GuestStage::running, fit,
                                         fit ? "" : "not fit to be frozen"});
    }
}

}  // namespace roothammer
