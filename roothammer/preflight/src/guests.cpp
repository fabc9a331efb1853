// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>

#include "checks.hpp"
#include "guest/running_guests.hpp"
#include "guest/save_file.hpp"

namespace roothammer {
namespace {

void check_guest(Checked& checked, const warmvm::RunningGuest& guest) {
    const auto no = [&](std::string text, std::string mend) {
        checked.refuse("guest " + guest.name, std::move(text), std::move(mend), true);
    };
    const auto& info = guest.info;
    constexpr std::string_view incoming = "--incoming";
    constexpr std::string_view migrated = "--migratedaway";
    if (!warmvm::is_guest_name(guest.name)) {
        no("its name has spaces, control characters or '/', or is longer than 127 octets",
           "xl rename " + std::to_string(info.id.value()) + " NAME");
    }
    if (guest.name.ends_with(incoming) || guest.name.ends_with(migrated)) {
        no("it is being migrated", "wait for the migration to end");
    }
    if (info.shutdown) {
        no(info.is_suspended() ? "it is suspended" : "it has shut down or crashed",
           "destroy it (xl destroy) or, if it is suspended, run `roothammer recover`");
        return;
    }
    if (info.paused) no("it is paused", "xl unpause " + guest.name);
    if (!guest.known_to_libxl) {
        no("libxl does not know it", "destroy it, or manage it with xl");
    } else if (info.kind == warmvm::GuestKind::hvm) {
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
    const auto verdict = checked.host.preserved.check(info.id);
    if (const auto* refusal = std::get_if<warmvm::Refusal>(&verdict)) {
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
        const auto before = findings.size();
        check_guest(checked, guest);
        const bool fit = findings.size() == before;
        if (fit) {
            checked.ok("guest " + guest.name, std::string(str(guest.info.kind)) + ", " +
                                                  in_mib(guest.info.frames * warmvm::page_size));
        } else if (policy == OnGuestFailure::shutdown) {
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
