// SPDX-License-Identifier: GPL-2.0-only
// What is read of a host at one moment.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace roothammer::policy {

// Bytes, unless it says otherwise. value_names has what they are called in files and output.
enum class Value : std::uint8_t {
    xen_free,        // what Xen's heap has left
    xen_own,         // what is neither free nor a domain's: Xen itself
    xenstored,       // its process, resident and swapped out
    dom0_total,      // MemTotal
    dom0_available,  // MemAvailable
    swap_total,
    swap_used,
    log_next,       // sequence number of the first kernel message not yet looked at
    log_errors,     // lines of level err or worse since dom0 booted
    out_of_memory,  // lines saying that memory was not to be had, since dom0 booted
    guests,         // number of domains but dom0
    generation,     // warm boots since the last cold one
};
inline constexpr std::array value_names{
    std::string_view("xen_free"),       std::string_view("xen_own"),
    std::string_view("xenstored"),      std::string_view("dom0_total"),
    std::string_view("dom0_available"), std::string_view("swap_total"),
    std::string_view("swap_used"),      std::string_view("log_next"),
    std::string_view("log_errors"),     std::string_view("out_of_memory"),
    std::string_view("guests"),         std::string_view("generation"),
};
static_assert(value_names.size() == static_cast<std::size_t>(Value::generation) + 1);

// The largest that a double holds exactly, and far more than any host has.
inline constexpr std::uint64_t max_value = std::uint64_t{1} << 53;

struct Values {
    std::array<std::optional<std::uint64_t>, value_names.size()> all;
    // Empty: could not be read.
    std::optional<std::uint64_t>& operator[](Value value) {
        return all.at(static_cast<std::size_t>(value));
    }
    const std::optional<std::uint64_t>& operator[](Value value) const {
        return all.at(static_cast<std::size_t>(value));
    }
    friend bool operator==(const Values&, const Values&) = default;
};

// One moment by both clocks. Intervals are always measured by uptime, which nobody can set; wall is
// for the maintenance window and for people.
struct Moment {
    std::string boot;                    // dom0's boot id
    std::chrono::milliseconds uptime{};  // CLOCK_BOOTTIME: of dom0, seconds less than Xen's
    std::int64_t wall = 0;               // seconds since 1970, UTC
    friend bool operator==(const Moment&, const Moment&) = default;
};

struct Sample {
    Moment moment;
    // The wall clock has been set since the sample before, or went back over a reboot.
    bool clock_stepped = false;
    Values values;
    friend bool operator==(const Sample&, const Sample&) = default;
};

}  // namespace roothammer::policy
