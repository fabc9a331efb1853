// SPDX-License-Identifier: GPL-2.0-only
#include "roothammer/freeze.hpp"

#include <algorithm>

#include "base/fault.hpp"
#include "base/file.hpp"
#include "base/lock.hpp"
#include "guest/running_guests.hpp"
#include "guest/save_file.hpp"
#include "host/plan.hpp"
#include "preflight/other_hands.hpp"
#include "preserved/guest_record.hpp"
#include "roothammer/recover.hpp"

namespace roothammer {
namespace {

using warmvm::Error;
using warmvm::fault_point;
using warmvm::SetState;

constexpr std::chrono::milliseconds job_poll{100};
constexpr std::chrono::minutes job_limit{10};
// xl takes a domain that has shut down apart within this, and starts one that reboots again.
constexpr std::chrono::milliseconds end_poll{200};
constexpr std::chrono::seconds end_limit{10};
constexpr std::chrono::seconds successor_limit{5};
// Each save that is held is two processes of some megabytes.
constexpr std::size_t most_held = 32;

// Stopping dom0's services must not cost the guests anything: they still run.
void wait_until_quiet(const Host& host) {
    for (std::chrono::milliseconds waited{}; waited < job_limit; waited += job_poll) {
        if (!host.system.has_other_jobs({warm_target, freeze_unit})) return;
        host.system.sleep(job_poll);
    }
    throw Error::of(std::errc::timed_out, "dom0's services do not come to an end");
}

class Freezer {
  public:
    Freezer(const Host& host, Plan& plan) : host_(host), plan_(plan) {}

    void run() {
        stage(Stage::freezing);
        fault_point("freeze-start");
        wait_until_quiet(host_);
        fault_point("freeze-quiet");
        // As many are saved at once as there are processors for it: one that waits runs on.
        const auto at_once = host_.system.processors();
        for (auto next = plan_.guests.begin(); next != plan_.guests.end();) {
            next = hold_some(next);
            for (auto& save : held_) {
                while (saves_.size() >= at_once) finish_one();
                let_go(std::move(save));
            }
            held_.clear();
        }
        while (!saves_.empty()) finish_one();
        require_nobody_forgotten();
        fault_point("freeze-all-done");

        host_.system.sync();
        host_.preserved.arm(plan_.token);
        stage(Stage::armed);
        log("event=armed tsc=" + std::to_string(host_.system.tsc()));
        fault_point("freeze-armed");
        host_.system.remount_read_only();
        fault_point("freeze-before-reboot");
        host_.system.reboot();
        throw Error::of(std::errc::io_error, "reboot(2) returned");
    }

  private:
    using Guests = std::vector<PlannedGuest>;

    void stage(Stage stage) {
        plan_.stage = stage;
        store_plan(host_.paths.plan(), plan_);
    }
    void stage(PlannedGuest& guest, GuestStage stage) {
        guest.stage = stage;
        store_plan(host_.paths.plan(), plan_);
    }

    struct Save {
        PlannedGuest* guest;
        std::filesystem::path file;
        std::unique_ptr<warmvm::ToolstackJob> job;
    };

    // Their toolstack starts while they all still run: starting it takes longer than freezing a
    // guest.
    Guests::iterator hold_some(Guests::iterator next) {
        for (; next != plan_.guests.end() && held_.size() < most_held; ++next) hold(*next);
        for (const auto& save : held_) save.job->wait_until_held();
        fault_point("freeze-held");
        return next;
    }

    void hold(PlannedGuest& guest) {
        if (is_gone(guest)) return;
        require_left_to_us(guest, in_log_dirty_mode(host_.preserved.check(guest.domid)));
        if (!guest.fit) {
            give_up(guest);
            return;
        }
        const auto file = host_.paths.image(guest.domid);
        held_.push_back(
            {&guest, file, host_.toolstack.start_save(guest.domid, file, plan_.timeout)});
    }

    void let_go(Save save) {
        auto& guest = *save.guest;
        if (is_gone(guest)) return;
        fault_point("freeze-guest-before");
        stage(guest, GuestStage::suspending);
        log("event=freeze guest=" + guest.name + " tsc=" + std::to_string(host_.system.tsc()));
        save.job->let_go();
        saves_.push_back(std::move(save));
    }

    // Throws if the guest is in other hands by now: those are not disturbed, whatever the policy.
    bool is_gone(PlannedGuest& guest) {
        if (has_ended(guest)) return true;
        if (const auto info = info_of(host_.domains, guest)) {
            require_left_to_us(guest, in_other_hands(*info));
        }
        require_left_to_us(guest, asked_by_others(host_.store, guest.domid));
        return false;
    }

    // A guest that its owner shuts down meanwhile is no obstacle, once its domain is gone. One that
    // reboots is: its next domain would be started in the middle of the jump.
    bool has_ended(PlannedGuest& guest) {
        using warmvm::ShutdownReason;
        auto info = info_of(host_.domains, guest);
        for (std::chrono::milliseconds waited{}; waited < end_limit; waited += end_poll) {
            if (!info || info->shutdown != ShutdownReason::poweroff) break;
            host_.system.sleep(end_poll);
            info = info_of(host_.domains, guest);
        }
        if (info && info->shutdown == ShutdownReason::reboot) throw_rebooted(guest);
        if (info) return false;
        some_ended_ = true;
        guest.note = "it was gone before its turn";
        stage(guest, GuestStage::shut_down);
        return true;
    }

    [[noreturn]] static void throw_rebooted(const PlannedGuest& guest) {
        throw Error::of(std::errc::operation_canceled,
                        "guest " + guest.name + " was rebooted after the plan was made");
    }

    void require_no_successor() const {
        for (const auto& domain : host_.domains.list()) {
            if (domain.dying) continue;
            for (const auto& guest : plan_.guests) {
                if (domain.uuid == guest.uuid && domain.id != guest.domid) throw_rebooted(guest);
            }
        }
    }

    bool is_suspended(const PlannedGuest& guest) const {
        const auto info = info_of(host_.domains, guest);
        return info && info->is_suspended();
    }

    static void require_left_to_us(const PlannedGuest& guest,
                                   const std::optional<OtherHands>& others) {
        if (!others) return;
        throw Error::of(std::errc::operation_canceled,
                        "guest " + guest.name + ": " + others->text + "; " + others->mend);
    }

    void finish_one() {
        std::vector<warmvm::ToolstackJob*> jobs;
        for (const auto& save : saves_) jobs.push_back(save.job.get());
        const auto ended =
            saves_.begin() + static_cast<std::ptrdiff_t>(host_.toolstack.first_ended(jobs));
        const Save save = std::move(*ended);
        saves_.erase(ended);
        auto& guest = *save.guest;
        const auto result = save.job->result();
        if (!result.ok()) {
            if (has_ended(guest)) return;
            guest.note = reason(result);
            // xl has woken the guest itself, unless it ran out of time, died or could not.
            if (result.outcome == warmvm::ToolstackOutcome::failed && !is_suspended(guest)) {
                stage(guest, GuestStage::running);
            }
            give_up(guest);
            return;
        }
        fault_point("freeze-guest-saved");
        store_blob(guest, save.file);
        stage(guest, GuestStage::frozen);
        log("event=frozen guest=" + guest.name + " tsc=" + std::to_string(host_.system.tsc()));
        fault_point("freeze-guest-done");
    }

    std::string reason(const warmvm::ToolstackResult& result) const {
        switch (result.outcome) {
            case warmvm::ToolstackOutcome::timed_out:
                return "it did not suspend within " + std::to_string(plan_.timeout.count()) + " ms";
            case warmvm::ToolstackOutcome::died:
                return "xl or its save helper died: " + result.message;
            case warmvm::ToolstackOutcome::done:
            case warmvm::ToolstackOutcome::failed:
                break;
        }
        return result.message;
    }

    // What goes into the next life is read back first: it must be what resume can read.
    void store_blob(const PlannedGuest& guest, const std::filesystem::path& file) {
        const auto bytes = warmvm::read_file(file, warmvm::max_blob_bytes);
        std::filesystem::remove(file);
        const auto saved = warmvm::read_save_file(bytes);
        const auto record =
            warmvm::decode_guest_record(saved.image.get(warmvm::RecordType::preserved_memory).body);
        if (warmvm::guest_name(saved) != guest.name) {
            throw Error::of(std::errc::invalid_argument,
                            guest.name + " has another name in its configuration");
        }
        for (const auto& set : host_.preserved.sets()) {
            if (set.state != SetState::local || set.domid != guest.domid) continue;
            if (set.id != record.set) break;
            host_.preserved.set_blob(set.id, bytes);
            return;
        }
        // Another helper than ours has saved it, and xl has paused it for us (`xl save -p`).
        host_.domains.unpause(guest.domid);
        throw Error::of(std::errc::no_such_file_or_directory, guest.name + "'s preserved set");
    }

    void give_up(PlannedGuest& guest) {
        log("event=freeze-failed guest=" + guest.name + ": " + guest.note);
        if (plan_.on_guest_failure == OnGuestFailure::abort) {
            throw Error::of(std::errc::operation_canceled,
                            "guest " + guest.name + " could not be frozen: " + guest.note);
        }
        if (put_back(host_, guest)) stage(guest, GuestStage::put_back);
        if (!may_be_ended(guest)) return;
        if (!host_.toolstack.shutdown(guest.domid, plan_.timeout).ok() && may_be_ended(guest)) {
            const auto result = host_.toolstack.destroy(guest.domid);
            if (!result.ok()) {
                throw Error::of(std::errc::operation_canceled,
                                "guest " + guest.name +
                                    " can be neither frozen nor destroyed: " + result.message);
            }
        }
        stage(guest, GuestStage::shut_down);
        log("event=shut-down guest=" + guest.name);
    }

    // False: it has ended by itself. Throws if it is in other hands.
    bool may_be_ended(PlannedGuest& guest) {
        if (is_gone(guest)) return false;
        require_left_to_us(guest, in_log_dirty_mode(host_.preserved.check(guest.domid)));
        return true;
    }

    // A guest that was started after the plan was made would not survive.
    void require_nobody_forgotten() {
        // What was gone before anybody could see why may have been rebooted.
        for (std::chrono::milliseconds waited{}; some_ended_ && waited < successor_limit;
             waited += end_poll) {
            require_no_successor();
            host_.system.sleep(end_poll);
        }
        for (const auto& guest : running_guests(host_.domains, host_.store)) {
            const auto frozen = [&](const PlannedGuest& planned) {
                return planned.domid == guest.info.id && planned.stage == GuestStage::frozen;
            };
            if (std::ranges::none_of(plan_.guests, frozen)) {
                throw Error::of(std::errc::operation_canceled,
                                "guest " + guest.name + " appeared after the plan was made");
            }
        }
    }

    const Host& host_;
    Plan& plan_;
    // These are given up, and so ended, when this is destroyed.
    std::vector<Save> held_;
    std::vector<Save> saves_;  // under way
    bool some_ended_ = false;  // by themselves
};

}  // namespace

void freeze(const Host& host) {
    const auto lock = take_lock(host.paths.work_lock());
    auto plan = load_plan(host.paths.plan());
    if (!plan || plan->boot_id != host.system.boot_id() || plan->stage != Stage::prepared) {
        throw Error::of(std::errc::operation_not_permitted,
                        "no warm reboot is prepared; start one with xl-warm-reboot");
    }
    try {
        Freezer(host, *plan).run();
    } catch (const std::exception& error) {
        log(std::string("event=abort: ") + error.what());
        log_left_open(recover(host, error.what()));
        throw;
    }
}

}  // namespace roothammer
