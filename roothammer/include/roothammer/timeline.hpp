// SPDX-License-Identifier: GPL-2.0-only
// When what happened in the last warm reboot, from raw time stamp counter values: it runs on over
// the jump, so one clock spans both hypervisors.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "xen/preserved_memory.hpp"

namespace roothammer {

struct GuestTimes {
    std::string name;
    warmvm::Uuid uuid;
    std::uint64_t frames{}, extents{}, metadata_bytes{};
    std::uint32_t generation{};  // warm reboots it has been through
    // 0: not known, or has not happened.
    std::uint64_t asked{}, suspended{};
    warmvm::TscSpan preserve;
    std::uint64_t restore_start{};
    warmvm::TscSpan adopt;
    std::uint64_t committed{}, running{};
    // The hypervisor's own work, not preempted.
    std::uint64_t preserve_ticks{}, adopt_ticks{}, commit_ticks{};
    struct Frame {
        std::string name;
        std::uint64_t gfn{};
        std::uint64_t mfn{};  // 0: not known
    };
    std::vector<Frame> written;  // by the resume protocol
};

struct Timeline {
    std::uint32_t tsc_khz{};
    std::uint32_t generation{};
    std::uint64_t armed{}, jump{}, entry{}, heap{}, dom0{}, resume_start{}, resume_end{};
    std::vector<GuestTimes> guests;
};

std::string to_json(const Timeline& timeline);
// Throws warmvm::Error of stream_category, which names the file.
Timeline parse_timeline(std::string_view json, const std::string& file = "timeline");
// Milliseconds from the jump, one event a line, in order; each guest's blackout at the end.
std::string to_table(const Timeline& timeline);

std::optional<Timeline> load_timeline(const std::filesystem::path& file);
void store_timeline(const std::filesystem::path& file, const Timeline& timeline);

}  // namespace roothammer
