// SPDX-License-Identifier: GPL-2.0-only
#include "roothammer/recover.hpp"

#include <algorithm>
#include <exception>
#include <optional>

#include "roothammer/freeze.hpp"

namespace roothammer {
namespace {

using warmvm::DomId;
using warmvm::SetState;

// A guest that has taken a suspend request up stops its tasks first; Linux gives up after 20 s.
constexpr std::chrono::milliseconds settle_limit{30000};
constexpr std::chrono::milliseconds settle_step{200};

void wake(const Host& host, const warmvm::DomainInfo& info) {
    if (info.is_suspended()) {
        host.domains.resume_suspended(info.id);
        host.store.resume_domain(info.id);
    }
    if (info.paused) host.domains.unpause(info.id);
}

// Whether a guest that was asked to suspend has done so, and is woken, or has gone.
bool has_settled(const Host& host, DomId domain) {
    const auto info = host.domains.info(domain);
    if (!info || info->dying) return true;
    if (!info->is_suspended()) return false;
    wake(host, *info);
    return true;
}

// Says whether there was one. A save helper that is on its way out may release its set itself.
bool release_sets(const Host& host, DomId domain) {
    bool found = false;
    for (const auto& set : host.preserved.sets()) {
        if (set.state != SetState::local || set.domid != domain) continue;
        found = true;
        try {
            host.preserved.release(set.id);
        } catch (const warmvm::Error& error) {
            if (error.code() != std::errc::no_such_file_or_directory) throw;
        }
    }
    return found;
}

// A plan that cannot be read is put aside: it would stop this recover and every later one.
std::optional<Plan> readable_plan(const Host& host) {
    const auto file = host.paths.plan();
    try {
        return load_plan(file);
    } catch (const warmvm::Error& error) {
        if (error.code().category() != warmvm::stream_category()) throw;
        std::filesystem::rename(file, file.string() + ".unreadable");
        log(std::string("the plan is put aside, and guests are put back without it: ") +
            error.what());
        return std::nullopt;
    }
}

bool is_planned(const Plan& plan, const warmvm::PreservedSet& set) {
    return std::ranges::any_of(plan.guests,
                               [&](const auto& guest) { return guest.domid == set.domid; });
}

// One guest's trouble must not keep the others frozen.
template <class Step>
void attempt(const std::string& what, Step step, std::exception_ptr& first) {
    try {
        step();
    } catch (const std::exception& error) {
        log(what + ": " + error.what());
        if (!first) first = std::current_exception();
    }
}

// False: the guest has taken a suspend request up that cannot be withdrawn any more.
bool put_back_now(const Host& host, const PlannedGuest& guest) {
    const bool was_preserved = release_sets(host, guest.domid);
    const auto info = host.domains.info(guest.domid);
    if (!info || info->dying || !(info->uuid == guest.uuid)) return true;
    const bool untouched =
        guest.stage == GuestStage::running || guest.stage == GuestStage::put_back;
    if (untouched && !info->is_suspended()) return true;
    wake(host, *info);
    log("event=put-back guest=" + guest.name);
    // A preserved guest had suspended: no request is under way any more.
    if (guest.stage != GuestStage::suspending || was_preserved) return true;
    // A helper that was killed in the middle of preserving finishes that call.
    host.system.sleep(settle_step);
    if (release_sets(host, guest.domid) || info->is_suspended()) return true;
    return host.store.replace(warmvm::domain_path(guest.domid, "control/shutdown"), "suspend", "");
}

void put_plan_back(const Host& host, Plan& plan, std::vector<std::string>& unsettled,
                   std::exception_ptr& first) {
    const auto mark_put_back = [](PlannedGuest& guest) {
        if (guest.stage != GuestStage::shut_down) guest.stage = GuestStage::put_back;
    };
    // Those that are certainly frozen come first: the others take a moment each.
    std::vector<PlannedGuest*> order;
    for (auto& guest : plan.guests) order.push_back(&guest);
    std::stable_partition(order.begin(), order.end(),
                          [](const auto* guest) { return guest->stage != GuestStage::suspending; });
    std::vector<PlannedGuest*> waiting;
    for (auto* guest : order) {
        attempt(
            "putting back " + guest->name,
            [&] {
                // What an `xl save` that failed has left.
                std::filesystem::remove(host.paths.image(guest->domid));
                if (put_back_now(host, *guest)) {
                    mark_put_back(*guest);
                } else {
                    waiting.push_back(guest);
                }
            },
            first);
    }
    // All are waited for at once: each is woken when it has suspended, however long another takes.
    for (auto waited = settle_step; waited <= settle_limit && !waiting.empty();
         waited += settle_step) {
        host.system.sleep(settle_step);
        std::erase_if(waiting, [&](auto* guest) {
            bool done = true;  // with an error too
            attempt(
                "waking " + guest->name,
                [&] {
                    done = has_settled(host, guest->domid);
                    if (done) mark_put_back(*guest);
                },
                first);
            return done;
        });
    }
    for (const auto* guest : waiting) unsettled.push_back(guest->name);
}

}  // namespace

bool put_back(const Host& host, const PlannedGuest& guest) {
    if (put_back_now(host, guest)) return true;
    for (auto waited = settle_step; waited <= settle_limit; waited += settle_step) {
        host.system.sleep(settle_step);
        if (has_settled(host, guest.domid)) return true;
    }
    return false;
}

std::vector<std::string> recover(const Host& host, const std::string& why) {
    std::vector<std::string> unsettled;
    std::exception_ptr first;
    if (!host.preserved.info()) return unsettled;
    attempt(
        "disarming", [&] { host.preserved.disarm(); }, first);
    attempt(
        "making file systems writable", [&] { host.system.remount_writable(); }, first);

    std::optional<Plan> plan;
    attempt(
        "reading the plan",
        [&] {
            auto found = readable_plan(host);
            if (found && found->boot_id == host.system.boot_id()) plan = std::move(found);
        },
        first);
    if (plan) put_plan_back(host, *plan, unsettled, first);
    attempt(
        "releasing sets that no plan names",
        [&] {
            for (const auto& set : host.preserved.sets()) {
                if (set.state != SetState::local || (plan && is_planned(*plan, set))) continue;
                host.preserved.release(set.id);
                if (const auto info = host.domains.info(set.domid)) wake(host, *info);
            }
        },
        first);
    attempt(
        "unloading the image", [&] { host.kexec.unload(); }, first);
    if (plan && plan->is_under_way()) {
        plan->stage = Stage::aborted;
        plan->error = why;
        attempt(
            "writing the plan", [&] { store_plan(host.paths.plan(), *plan); }, first);
    }
    // The warm target is not asked: it is never active while its freeze is starting or has failed.
    if (!host.system.is_active(normal_target)) {
        attempt(
            "bringing the services back", [&] { host.system.isolate(normal_target); }, first);
    }
    if (first) std::rethrow_exception(first);
    return unsettled;
}

}  // namespace roothammer
