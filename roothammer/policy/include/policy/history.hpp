// SPDX-License-Identifier: GPL-2.0-only
// Earlier samples, in a file (docs/specs/policy-files.md). Reading never fails: what is sound is
// used, the rest is handed back with a reason.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policy/sample.hpp"

namespace roothammer::policy {

struct Rejected {
    std::size_t line = 0;  // from 1
    std::string reason;
    std::string text;
};

struct History {
    std::vector<Sample> samples;  // boot after boot, uptimes rising within each
    std::vector<Rejected> rejected;
    // A sample of another boot is later than now: the clock went back, or the file is not ours.
    bool from_the_future = false;
};

// now: samples beyond it are rejected.
History parse_history(std::string_view text, const Moment& now);

std::string to_text(std::span<const Sample> samples);

// One sample as JSON, on one line; and back. Throws warmvm::Error of stream_category.
std::string to_json(const Sample& sample);
Sample parse_sample(std::string_view json);

// What was rejected, for the file set aside: reason and line, at most 64 KB of them.
std::string to_text(std::span<const Rejected> rejected);

}  // namespace roothammer::policy
