// SPDX-License-Identifier: GPL-2.0-only
#include "roothammer/resume.hpp"

#include <algorithm>
#include <map>

#include "base/fault.hpp"
#include "base/file.hpp"
#include "base/lock.hpp"
#include "host/preserved_guests.hpp"
#include "preserved/restore_preserved.hpp"
#include "roothammer/earlier_try.hpp"
#include "roothammer/timeline.hpp"
#include "xen/frame_map.hpp"

namespace roothammer {
namespace {

using warmvm::Error;
using warmvm::fault_point;
using warmvm::PreservedSet;
using warmvm::SetId;
using warmvm::SetState;

constexpr const char* frozen_still =
    "is frozen by a warm reboot that did not end; `roothammer recover` lets it run on";

PreservedSet find(const Host& host, SetId id) {
    for (const auto& set : host.preserved.sets()) {
        if (set.id == id) return set;
    }
    throw Error::of(std::errc::no_such_file_or_directory, "set " + std::to_string(id.value()));
}

class Resumer {
  public:
    Resumer(const Host& host, const ResumeOptions& options, Timeline& timeline)
        : host_(host), options_(options), timeline_(timeline) {}

    ResumeOutcome run(const PreservedGuest& guest) {
        ResumeOutcome outcome{guest.name, guest.trouble};
        if (!outcome.trouble) {
            try {
                resume(guest);
                log("event=running guest=" + guest.name +
                    " tsc=" + std::to_string(host_.system.tsc()));
                return outcome;
            } catch (const std::exception& error) {
                outcome.trouble = error.what();
            }
        }
        log("event=resume-failed guest=" + guest.name + ": " + *outcome.trouble);
        return outcome;
    }

  private:
    void resume(const PreservedGuest& guest) {
        clear_earlier_try(host_, guest.set);
        try {
            bring_back(guest);
        } catch (const std::exception&) {
            take_down(guest);
            throw;
        }
    }

    // Until its set is committed the guest has not run an instruction: what was made of it goes,
    // and it is preserved as before. A committed one has no set any more and is left alone.
    void take_down(const PreservedGuest& guest) {
        try {
            for (const auto& set : host_.preserved.sets()) {
                if (set.id == guest.set.id) clear_earlier_try(host_, set);
            }
            // Last: it says whose the half-made domain was.
            std::filesystem::remove(host_.paths.image(guest.set.id));
        } catch (const std::exception& error) {
            log("guest " + guest.name + " stays half resumed: " + error.what());
        }
    }

    void bring_back(const PreservedGuest& guest) {
        auto times = first_times(guest);
        const auto file = host_.paths.image(guest.set.id);
        warmvm::replace_file(file, guest.blob);
        fault_point("resume-blob-read");

        times.restore_start = host_.system.tsc();
        log("event=resume guest=" + guest.name + " tsc=" + std::to_string(times.restore_start));
        const auto result = host_.toolstack.restore(file);
        if (!result.ok()) throw Error::of(std::errc::io_error, "xl restore: " + result.message);
        std::filesystem::remove(file);
        fault_point("resume-restored");

        const auto set = find(host_, guest.set.id);
        if (set.state != SetState::adopted) {
            throw Error::of(std::errc::io_error, "xl restore did not adopt the guest's memory");
        }
        times.adopt = set.tsc_adopt;
        times.adopt_ticks = set.ticks_adopt;
        // The guest has just shown that it can; it will not say so again before it boots.
        host_.store.write(warmvm::domain_path(set.domid, "control/feature-suspend"), "1");
        // The hypervisor holds an adopted domain paused until it is committed, so the order makes
        // commit the one step that starts the guest: there is no half-way to be killed in.
        if (!options_.paused) host_.domains.unpause(set.domid);
        fault_point("resume-unpaused");
        times.commit_ticks = host_.preserved.commit(set.id);
        times.committed = host_.system.tsc();
        if (!options_.paused) times.running = times.committed;
        remember(std::move(times));
        fault_point("resume-committed");
    }

    GuestTimes first_times(const PreservedGuest& guest) {
        GuestTimes times;
        times.name = guest.name;
        times.uuid = guest.set.uuid;
        times.frames = guest.set.frames;
        times.extents = guest.set.extents;
        times.metadata_bytes = guest.set.metadata_bytes;
        times.generation = guest.set.generation;
        times.asked = guest.record->tsc_asked;
        times.suspended = guest.record->tsc_suspended;
        times.preserve = guest.set.tsc_preserve;
        times.preserve_ticks = guest.set.ticks_preserve;
        const warmvm::FrameMap frames(host_.preserved.extents(guest.set.id));
        for (const auto& frame : warmvm::written_frames(guest.file->image)) {
            const auto mfn = frames.mfn(warmvm::Pfn(frame.gfn));
            times.written.push_back(
                {std::string(frame.name), frame.gfn, mfn.value_or(warmvm::Mfn(0)).value()});
        }
        // Pinning a PV guest's L4 again writes Xen's own slots of it.
        constexpr std::uint32_t top_level = 4;
        for (const auto& extent : frames.extents()) {
            if (extent.pin != top_level) continue;
            times.written.push_back({"pinned L4, Xen's slots", extent.gfn, extent.mfn.value()});
        }
        return times;
    }

    void remember(GuestTimes times) {
        std::erase_if(timeline_.guests,
                      [&](const auto& guest) { return guest.uuid == times.uuid; });
        timeline_.guests.push_back(std::move(times));
    }

    const Host& host_;
    const ResumeOptions& options_;
    Timeline& timeline_;
};

// The timeline in the file if it is of this boot, else a new one.
Timeline open_timeline(const Host& host, const warmvm::PreservedInfo& info) {
    Timeline timeline;
    timeline.tsc_khz = info.tsc_khz;
    timeline.generation = info.generation;
    timeline.armed = info.tsc_armed;
    timeline.jump = info.tsc_jump;
    timeline.entry = info.tsc_entry;
    timeline.heap = info.tsc_heap;
    timeline.dom0 = info.tsc_dom0;
    timeline.resume_start = host.system.tsc();
    try {
        const auto earlier = load_timeline(host.paths.timeline());
        if (earlier && earlier->entry == info.tsc_entry) return *earlier;
    } catch (const std::exception& error) {
        log(std::string("the last timeline is not readable: ") + error.what());
    }
    return timeline;
}

// The guests run by now, and whoever asked must hear so: a disk that is full is no failed resume.
void close_timeline(const Host& host, Timeline& timeline) {
    timeline.resume_end = host.system.tsc();
    try {
        store_timeline(host.paths.timeline(), timeline);
    } catch (const std::exception& error) {
        log(std::string("the timeline is lost: ") + error.what());
    }
}

}  // namespace

std::vector<ResumeOutcome> resume(const Host& host, const ResumeOptions& options) {
    const auto lock = take_lock(host.paths.work_lock());
    fault_point("resume-start");
    std::vector<ResumeOutcome> outcomes;
    const auto info = host.preserved.info();
    if (!info) {
        if (!options.names.empty()) {
            throw Error::of(std::errc::not_supported, "this hypervisor preserves nothing");
        }
        return outcomes;
    }
    auto timeline = open_timeline(host, *info);
    const auto guests = preserved_guests(host);
    for (const auto& name : options.names) {
        const auto same = [&](const auto& guest) { return guest.name == name; };
        if (std::ranges::none_of(guests, same)) outcomes.push_back({name, "is not preserved"});
    }
    Resumer resumer(host, options, timeline);
    std::map<SetId, std::size_t> failed;  // and which outcome is its
    for (const auto& guest : guests) {
        const bool named = std::ranges::find(options.names, guest.name) != options.names.end();
        if (!named && !options.names.empty()) continue;
        if (guest.set.state == SetState::local) {
            if (named) outcomes.push_back({guest.name, frozen_still});
            continue;
        }
        outcomes.push_back(resumer.run(guest));
        if (outcomes.back().trouble && !guest.trouble) {
            failed.emplace(guest.set.id, outcomes.size() - 1);
        }
    }
    // What failed may have been short of time, such as a hotplug script on a dom0 still starting.
    for (unsigned done = 1; done < options.tries && !failed.empty(); ++done) {
        for (const auto& guest : preserved_guests(host)) {
            const auto mine = failed.find(guest.set.id);
            if (mine == failed.end()) continue;
            log("event=resume-again guest=" + guest.name);
            auto& outcome = outcomes.at(mine->second);
            outcome = resumer.run(guest);
            if (!outcome.trouble) failed.erase(mine);
        }
    }
    if (!outcomes.empty()) close_timeline(host, timeline);
    return outcomes;
}

}  // namespace roothammer
