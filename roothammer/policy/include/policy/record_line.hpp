// SPDX-License-Identifier: GPL-2.0-only
// Lines of the policy's files: "VERSION CHECKSUM JSON", each for itself, so that whatever happens
// to a file costs the lines it hits and no others. docs/specs/policy-files.md.
#pragma once

#include <string>
#include <string_view>

namespace roothammer::policy {

inline constexpr std::size_t max_record_line = 4096;

// With the line's end. json must not contain one.
std::string seal(std::string_view json);
// The JSON of a line (without its end). Throws warmvm::Error of stream_category: too_big,
// truncated, bad_version (a later one), bad_checksum.
std::string_view unseal(std::string_view line);

}  // namespace roothammer::policy
