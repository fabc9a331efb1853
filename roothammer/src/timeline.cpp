// SPDX-License-Identifier: GPL-2.0-only
#include "roothammer/timeline.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/file.hpp"

namespace roothammer {
namespace {

using nlohmann::json;
using warmvm::Error;
using warmvm::StreamErrc;

constexpr int timeline_version = 1;

json to_json(const GuestTimes& guest) {
    json written = json::array();
    for (const auto& frame : guest.written) {
        written.push_back({{"name", frame.name}, {"gfn", frame.gfn}, {"mfn", frame.mfn}});
    }
    return {{"name", guest.name},
            {"uuid", guest.uuid.str()},
            {"frames", guest.frames},
            {"extents", guest.extents},
            {"metadata_bytes", guest.metadata_bytes},
            {"generation", guest.generation},
            {"asked", guest.asked},
            {"suspended", guest.suspended},
            {"preserve_begin", guest.preserve.begin},
            {"preserve_end", guest.preserve.end},
            {"restore_start", guest.restore_start},
            {"adopt_begin", guest.adopt.begin},
            {"adopt_end", guest.adopt.end},
            {"committed", guest.committed},
            {"running", guest.running},
            {"preserve_ticks", guest.preserve_ticks},
            {"adopt_ticks", guest.adopt_ticks},
            {"commit_ticks", guest.commit_ticks},
            {"written_frames", written}};
}

GuestTimes guest_from_json(const json& object, const std::string& file) {
    GuestTimes guest;
    guest.name = object.at("name").get<std::string>();
    const auto uuid = warmvm::Uuid::parse(object.at("uuid").get<std::string>());
    if (!uuid) throw Error(StreamErrc::bad_value, file + ": uuid");
    guest.uuid = *uuid;
    object.at("frames").get_to(guest.frames);
    object.at("extents").get_to(guest.extents);
    object.at("metadata_bytes").get_to(guest.metadata_bytes);
    object.at("generation").get_to(guest.generation);
    object.at("asked").get_to(guest.asked);
    object.at("suspended").get_to(guest.suspended);
    object.at("preserve_begin").get_to(guest.preserve.begin);
    object.at("preserve_end").get_to(guest.preserve.end);
    object.at("restore_start").get_to(guest.restore_start);
    object.at("adopt_begin").get_to(guest.adopt.begin);
    object.at("adopt_end").get_to(guest.adopt.end);
    object.at("committed").get_to(guest.committed);
    object.at("running").get_to(guest.running);
    object.at("preserve_ticks").get_to(guest.preserve_ticks);
    object.at("adopt_ticks").get_to(guest.adopt_ticks);
    object.at("commit_ticks").get_to(guest.commit_ticks);
    for (const auto& frame : object.at("written_frames")) {
        guest.written.push_back({frame.at("name").get<std::string>(),
                                 frame.at("gfn").get<std::uint64_t>(),
                                 frame.at("mfn").get<std::uint64_t>()});
    }
    return guest;
}

Timeline from_json(const json& object, const std::string& file) {
    if (object.at("version").get<int>() != timeline_version) {
        throw Error(StreamErrc::bad_version, file);
    }
    Timeline timeline;
    object.at("tsc_khz").get_to(timeline.tsc_khz);
    object.at("generation").get_to(timeline.generation);
    object.at("armed").get_to(timeline.armed);
    object.at("jump").get_to(timeline.jump);
    object.at("entry").get_to(timeline.entry);
    object.at("heap").get_to(timeline.heap);
    object.at("dom0").get_to(timeline.dom0);
    object.at("resume_start").get_to(timeline.resume_start);
    object.at("resume_end").get_to(timeline.resume_end);
    for (const auto& guest : object.at("guests")) {
        timeline.guests.push_back(guest_from_json(guest, file));
    }
    return timeline;
}

struct Event {
    std::uint64_t tsc;
    std::string text;
};

class Clock {
  public:
    Clock(std::uint64_t zero, std::uint32_t khz) : zero_(zero), khz_(std::max(khz, 1u)) {}
    [[nodiscard]] double ms(std::uint64_t tsc) const {
        return static_cast<double>(static_cast<std::int64_t>(tsc - zero_)) / khz_;
    }

  private:
    std::uint64_t zero_;
    std::uint32_t khz_;
};

std::string line(double ms, const std::string& text) {
    std::array<char, 32> number{};
    std::snprintf(number.data(), number.size(), "%14.3f ms  ", ms);
    return number.data() + text + "\n";
}

std::vector<Event> events(const Timeline& timeline) {
    std::vector<Event> events;
    const auto add = [&](std::uint64_t tsc, std::string text) {
        if (tsc) events.push_back({tsc, std::move(text)});
    };
    for (const auto& guest : timeline.guests) {
        add(guest.asked, guest.name + " asked to suspend");
        add(guest.suspended, guest.name + " suspended");
        add(guest.preserve.end, guest.name + " frozen");
        add(guest.restore_start, guest.name + " restore begins");
        add(guest.adopt.end, guest.name + " adopted");
        add(guest.committed, guest.name + " committed");
        add(guest.running, guest.name + " running");
    }
    add(timeline.armed, "record complete");
    add(timeline.jump, "jump");
    add(timeline.entry, "new Xen's first line");
    add(timeline.heap, "new Xen's heap complete");
    add(timeline.dom0, "new dom0's kernel starts");
    add(timeline.resume_start, "resume service starts");
    add(timeline.resume_end, "resume service done");
    std::ranges::stable_sort(events, {}, &Event::tsc);
    return events;
}

}  // namespace

std::string to_json(const Timeline& timeline) {
    json guests = json::array();
    for (const auto& guest : timeline.guests) guests.push_back(to_json(guest));
    const json object{{"version", timeline_version},
                      {"tsc_khz", timeline.tsc_khz},
                      {"generation", timeline.generation},
                      {"armed", timeline.armed},
                      {"jump", timeline.jump},
                      {"entry", timeline.entry},
                      {"heap", timeline.heap},
                      {"dom0", timeline.dom0},
                      {"resume_start", timeline.resume_start},
                      {"resume_end", timeline.resume_end},
                      {"guests", guests}};
    return object.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

Timeline parse_timeline(std::string_view text, const std::string& file) {
    try {
        return from_json(json::parse(text), file);
    } catch (const json::exception& error) {
        throw Error(StreamErrc::bad_value, file + ": " + error.what());
    }
}

std::string to_table(const Timeline& timeline) {
    const auto all = events(timeline);
    if (all.empty()) return "nothing is known about a warm reboot\n";
    const Clock clock(timeline.jump ? timeline.jump : all.front().tsc, timeline.tsc_khz);
    std::string table;
    for (const auto& event : all) table += line(clock.ms(event.tsc), event.text);
    for (const auto& guest : timeline.guests) {
        if (!guest.suspended || !guest.running) continue;
        table += line(clock.ms(guest.running) - clock.ms(guest.suspended),
                      "blackout of " + guest.name + ", from suspended to running");
    }
    return table;
}

std::optional<Timeline> load_timeline(const std::filesystem::path& file) {
    if (!std::filesystem::exists(file)) return std::nullopt;
    // A PV guest has two pinned L4s a process, and each is listed.
    constexpr std::size_t longest = 64u << 20;
    return parse_timeline(warmvm::read_text_file(file, longest), file);
}

void store_timeline(const std::filesystem::path& file, const Timeline& timeline) {
    std::filesystem::create_directories(file.parent_path());
    constexpr mode_t readable = 0644;
    warmvm::replace_file(file, warmvm::as_byte_view(to_json(timeline)), readable);
}

}  // namespace roothammer
