// SPDX-License-Identifier: GPL-2.0-only
// What the policy has tried, kept over reboots (docs/specs/policy-files.md). It is on disk before
// anything is tried, so that a try that ends in whatever way counts, and none is repeated at once.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "policy/sample.hpp"

namespace roothammer::policy {

struct Tries {
    enum class Stage : std::uint8_t {
        idle,    // none, or the last one worked
        acting,  // xl-warm-reboot was about to be run
        failed,
    };
    Stage stage = Stage::idle;
    std::uint64_t failures = 0;  // in a row; acting counts as one until it is known better
    Moment at;                   // of the last try, or of finding out how it ended
    std::string why;             // failed
    friend bool operator==(const Tries&, const Tries&) = default;
};

// One sealed line.
std::string to_text(const Tries& tries);
// Throws warmvm::Error of stream_category.
Tries parse_tries(std::string_view text);

// How a try ended, seen from now. generation: warm boots since the last cold one, if known. A try
// of another boot has worked if this boot is a warm one; one of this boot has failed.
Tries settle(Tries tries, const Moment& now, std::optional<std::uint64_t> generation);

// At least this long ago: of another boot's try only this boot's uptime is sure.
std::chrono::milliseconds time_since(const Tries& tries, const Moment& now);

// retry_after, doubled for each failure after the first, four weeks at most.
std::chrono::seconds back_off(std::uint64_t failures, std::chrono::seconds retry_after);

}  // namespace roothammer::policy
