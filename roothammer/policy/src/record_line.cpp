// SPDX-License-Identifier: GPL-2.0-only
#include "policy/record_line.hpp"

#include <xxhash.h>

#include "base/error.hpp"
#include "base/hex.hpp"

namespace roothammer::policy {
namespace {

using warmvm::Error;
using warmvm::StreamErrc;

constexpr std::string_view version = "1";
constexpr std::size_t checksum_digits = 16;

std::string checksum(std::string_view json) {
    return warmvm::hex(std::uint64_t{XXH64(json.data(), json.size(), 0)});
}

}  // namespace

std::string seal(std::string_view json) {
    return std::string(version) + " " + checksum(json) + " " + std::string(json) + "\n";
}

std::string_view unseal(std::string_view line) {
    if (line.size() > max_record_line) throw Error(StreamErrc::too_big, "line");
    const auto first = line.find(' ');
    if (first == std::string_view::npos) throw Error(StreamErrc::truncated, "line");
    const auto digits = line.substr(0, first);
    constexpr std::size_t max_digits = 9;
    if (digits.empty() || digits.size() > max_digits ||
        digits.find_first_not_of("0123456789") != std::string_view::npos) {
        throw Error(StreamErrc::bad_value, "line");
    }
    if (digits != version) throw Error(StreamErrc::bad_version, "line of " + std::string(digits));
    const auto rest = line.substr(first + 1);
    if (rest.size() < checksum_digits + 1 || rest[checksum_digits] != ' ') {
        throw Error(StreamErrc::truncated, "line");
    }
    const auto json = rest.substr(checksum_digits + 1);
    if (rest.substr(0, checksum_digits) != checksum(json)) {
        throw Error(StreamErrc::bad_checksum, "line");
    }
    return json;
}

}  // namespace roothammer::policy
