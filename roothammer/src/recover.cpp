// SPDX-License-Identifier: GPL-2.0-only
#include "roothammer/recover.hpp"

#include <algorithm>
#include <exception>
#include <optional>

#include "preflight/other_hands.hpp"
#include "roothammer/freeze.hpp"

namespace roothammer {
namespace {

using warmvm::DomId;
using warmvm::SetState;

// A guest that has taken a suspend request up stops its tasks first; Linux gives up after 20 s.
constexpr std::chrono::milliseconds settle_limit{30000};
constexpr std::chrono::milliseconds settle_step{200};

// xenstored is told in any case: whoever was killed in between has not told it, and it would not
// notice the next time that the domain shuts down.
void wake_suspended(const Host& host, const warmvm::DomainInfo& info) {
    if (info.is_suspended()) host.domains.resume_suspended(info.id);
    host.store.resume_domain(info.id);
}

enum class Answer { awaited, settled, overtaken };

// How a guest that was asked to suspend answers: it has done so, and is woken, or is gone; or
// somebody else has asked it since, whose its suspending may be from then on.
Answer answer_of(const Host& host, const PlannedGuest& guest) {
    const auto info = info_of(host.domains, guest);
    if (!info) return Answer::settled;
    if (info->is_suspended()) {
        wake_suspended(host, *info);
        return Answer::settled;
    }
    return asked_by_others(host.store, guest.domid) ? Answer::overtaken : Answer::awaited;
}

// The guest's sets that this boot's freeze has made.
std::vector<warmvm::SetId> local_sets(const Host& host, DomId domain) {
    std::vector<warmvm::SetId> ids;
    for (const auto& set : host.preserved.sets()) {
        if (set.state == SetState::local && set.domid == domain) ids.push_back(set.id);
    }
    return ids;
}

// A save helper that is on its way out may release its set itself.
void release(const Host& host, warmvm::SetId set) {
    try {
        host.preserved.release(set);
    } catch (const warmvm::Error& error) {
        if (error.code() != std::errc::no_such_file_or_directory) throw;
    }
}

// The hypervisor holds a preserved domain until its set is released. That comes last, so that a set
// tells until the end, whoever is killed in between, that the guest is frozen by a warm reboot.
bool wake_preserved(const Host& host, DomId domain) {
    const auto sets = local_sets(host, domain);
    if (sets.empty()) return false;
    std::exception_ptr trouble;  // xenstored's: no reason to hold the guest
    if (const auto info = host.domains.info(domain)) {
        if (info->is_suspended()) host.domains.resume_suspended(domain);
        // xl pauses a guest when it has saved it (`xl save -p`).
        if (info->paused) host.domains.unpause(domain);
        try {
            host.store.resume_domain(domain);
        } catch (const warmvm::Error&) {
            trouble = std::current_exception();
        }
    }
    for (const auto set : sets) release(host, set);
    if (trouble) std::rethrow_exception(trouble);
    return true;
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

// Whether the freeze has asked the guest to suspend, and nobody has seen since that it runs or that
// it is preserved. Of any other guest another program may be making a copy, which waking it would
// make worthless. A frozen guest has a set: one without has been put back.
bool is_asked(const PlannedGuest& guest) {
    return guest.stage == GuestStage::suspending;
}

// False: the guest has taken a suspend request up that cannot be withdrawn any more.
bool put_back_now(const Host& host, const PlannedGuest& guest) {
    // A preserved guest had suspended: no request is under way any more.
    if (wake_preserved(host, guest.domid)) return true;
    const auto info = info_of(host.domains, guest);
    if (!info || !is_asked(guest)) return true;
    wake_suspended(host, *info);
    // A helper that was killed in the middle of preserving finishes that call.
    host.system.sleep(settle_step);
    if (wake_preserved(host, guest.domid) || info->is_suspended()) return true;
    return host.store.replace(warmvm::domain_path(guest.domid, "control/shutdown"), "suspend", "");
}

// Goes through a plan's guests, and writes down how far it has come: a guest that runs again is not
// ours any more, also for whoever goes on after a crash.
class PlanRecovery {
  public:
    PlanRecovery(const Host& host, Plan& plan, std::exception_ptr& first)
        : host_(host), plan_(plan), first_(first) {}

    void put_back_all() {
        // Those that are certainly frozen come first: the others take a moment each.
        std::vector<PlannedGuest*> order;
        for (auto& guest : plan_.guests) order.push_back(&guest);
        std::stable_partition(order.begin(), order.end(), [](const auto* guest) {
            return guest->stage != GuestStage::suspending;
        });
        for (auto* guest : order) {
            attempt(
                "putting back " + guest->name,
                [&] {
                    // What an `xl save` that failed has left.
                    std::filesystem::remove(host_.paths.image(guest->domid));
                    if (put_back_now(host_, *guest)) {
                        mark_put_back(*guest);
                    } else {
                        waiting_.push_back(guest);
                    }
                },
                first_);
        }
        wait();
        for (auto* guest : waiting_) mark(*guest, GuestStage::unanswered);
    }

  private:
    // All are waited for at once: each is woken when it has suspended, however long another takes.
    void wait() {
        for (auto waited = settle_step; waited <= settle_limit && !waiting_.empty();
             waited += settle_step) {
            host_.system.sleep(settle_step);
            std::erase_if(waiting_, [&](auto* guest) {
                auto answer = Answer::settled;  // with an error too
                attempt(
                    "waking " + guest->name,
                    [&] {
                        answer = answer_of(host_, *guest);
                        if (answer == Answer::settled) mark_put_back(*guest);
                        if (answer == Answer::overtaken) mark(*guest, GuestStage::unanswered);
                    },
                    first_);
                return answer != Answer::awaited;
            });
        }
    }

    void mark_put_back(PlannedGuest& guest) {
        if (!is_asked(guest) && guest.stage != GuestStage::frozen) return;
        log("event=put-back guest=" + guest.name);
        mark(guest, GuestStage::put_back);
    }
    void mark(PlannedGuest& guest, GuestStage stage) {
        guest.stage = stage;
        attempt(
            "writing the plan", [&] { store_plan(host_.paths.plan(), plan_); }, first_);
    }

    const Host& host_;
    Plan& plan_;
    std::exception_ptr& first_;
    std::vector<PlannedGuest*> waiting_;
};

// Late answers: only who named the guest knows that nothing else has suspended it meanwhile. One
// that runs after all has given the request up.
void wake_named(const Host& host, Plan& plan, const std::vector<std::string>& names,
                std::exception_ptr& first) {
    for (auto& guest : plan.guests) {
        const auto is_named = std::ranges::find(names, guest.name) != names.end();
        if (!is_named || guest.stage != GuestStage::unanswered) continue;
        attempt(
            "waking " + guest.name,
            [&] {
                const auto info = info_of(host.domains, guest);
                if (info && info->is_suspended()) {
                    wake_suspended(host, *info);
                    log("event=put-back guest=" + guest.name);
                } else {
                    log("guest " + guest.name + " is not suspended; nothing is done to it");
                }
                guest.stage = GuestStage::put_back;
                store_plan(host.paths.plan(), plan);
            },
            first);
    }
}

// Throws if a name is of no guest that a warm reboot may have left suspended.
void check_names(const std::optional<Plan>& plan, const std::vector<std::string>& names) {
    for (const auto& name : names) {
        const auto is_left = [&](const auto& guest) {
            return guest.name == name && (guest.stage == GuestStage::unanswered ||
                                          is_asked(guest) || guest.stage == GuestStage::frozen);
        };
        if (plan && std::ranges::any_of(plan->guests, is_left)) continue;
        throw warmvm::Error::of(std::errc::invalid_argument,
                                "guest " + name +
                                    ": no warm reboot of this boot of dom0 has left it suspended; "
                                    "what has suspended it must wake it");
    }
}

Recovered left_open(const Host& host, const std::optional<Plan>& plan) {
    Recovered left;
    if (!plan) return left;
    for (const auto& guest : plan->guests) {
        if (guest.stage != GuestStage::unanswered) continue;
        const auto info = info_of(host.domains, guest);
        if (!info) continue;
        (info->is_suspended() ? left.suspended : left.may_suspend).push_back(guest.name);
    }
    return left;
}

}  // namespace

bool put_back(const Host& host, const PlannedGuest& guest) {
    if (put_back_now(host, guest)) return true;
    auto answer = Answer::awaited;
    for (auto waited = settle_step; answer == Answer::awaited && waited <= settle_limit;
         waited += settle_step) {
        host.system.sleep(settle_step);
        answer = answer_of(host, guest);
    }
    return answer == Answer::settled;
}

Recovered recover(const Host& host, const std::string& why, const std::vector<std::string>& names) {
    std::exception_ptr first;
    std::optional<Plan> plan;
    if (!host.preserved.info()) {
        check_names(plan, names);
        return {};
    }
    attempt(
        "reading the plan",
        [&] {
            auto found = readable_plan(host);
            if (found && found->boot_id == host.system.boot_id()) plan = std::move(found);
        },
        first);
    check_names(plan, names);
    attempt(
        "disarming", [&] { host.preserved.disarm(); }, first);
    attempt(
        "making file systems writable", [&] { host.system.remount_writable(); }, first);

    if (plan) PlanRecovery(host, *plan, first).put_back_all();
    std::vector<warmvm::PreservedSet> sets;
    attempt(
        "looking for sets that no plan names", [&] { sets = host.preserved.sets(); }, first);
    for (const auto& set : sets) {
        if (set.state != SetState::local || (plan && is_planned(*plan, set))) continue;
        attempt(
            "putting back " + str(set.domid), [&] { wake_preserved(host, set.domid); }, first);
    }
    if (plan) wake_named(host, *plan, names, first);
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
    return left_open(host, plan);
}

void log_left_open(const Recovered& left) {
    for (const auto& name : left.may_suspend) {
        log("guest " + name +
            " took up a suspend request and has not suspended yet; if it stops: roothammer "
            "recover " +
            name);
    }
    for (const auto& name : left.suspended) {
        log("guest " + name +
            " is suspended and left so: another program may be saving or migrating it; if none "
            "is, it has answered too late: roothammer recover " +
            name);
    }
}

}  // namespace roothammer
