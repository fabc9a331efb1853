// SPDX-License-Identifier: GPL-2.0-only
#include "policy/proc_files.hpp"

#include <algorithm>
#include <charconv>

#include "policy/sample.hpp"

namespace roothammer::policy {
namespace {

std::optional<std::uint64_t> number_at(std::string_view& text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) return std::nullopt;
    text = text.substr(static_cast<std::size_t>(end - text.data()));
    return number;
}

// One line for each time that memory was not to be had. A control group that has reached its own
// limit says nothing about the host.
bool says_out_of_memory(std::string_view text) {
    if (text.find("page allocation failure") != std::string_view::npos) return true;
    return text.find("oom-kill:") != std::string_view::npos &&
           text.find("CONSTRAINT_MEMCG") == std::string_view::npos;
}

}  // namespace

std::optional<std::uint64_t> field_in_kib(std::string_view text, std::string_view name) {
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        auto line = text.substr(0, end);
        text = text.substr(std::min(end + 1, text.size()));
        if (!line.starts_with(name) || line.substr(name.size(), 1) != ":") continue;
        line = line.substr(name.size() + 1);
        line = line.substr(std::min(line.find_first_not_of(" \t"), line.size()));
        const auto number = number_at(line);
        if (!number || line != " kB" || *number > max_value >> 10) return std::nullopt;
        return *number << 10;
    }
    return std::nullopt;
}

void KernelLog::add(std::string_view record) {
    const auto priority = number_at(record);
    if (!priority || !record.starts_with(',')) return;
    record.remove_prefix(1);
    const auto sequence = number_at(record);
    if (!sequence || *sequence >= max_value || *sequence < from_) return;
    const auto semicolon = record.find(';');
    if (semicolon == std::string_view::npos) return;
    next_ = std::max(next_, *sequence + 1);
    // syslog(3): facility times eight plus level; facility 0 is the kernel itself.
    constexpr std::uint64_t facility_size = 8;
    constexpr std::uint64_t level_error = 3;
    if (*priority >= facility_size) return;
    if (*priority <= level_error) ++errors_;
    if (says_out_of_memory(record.substr(semicolon + 1))) ++out_of_memory_;
}

}  // namespace roothammer::policy
