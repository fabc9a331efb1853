// SPDX-License-Identifier: GPL-2.0-only
#include "policy/preflight_output.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/process.hpp"
#include "roothammer/command_line.hpp"

namespace roothammer::policy {
namespace {

using nlohmann::json;

// "guest web: it is paused (xl unpause web)"; nullopt if output has no report with a refusal.
std::optional<std::string> first_refusal(const std::string& output) {
    const auto begin = output.find('{');
    if (begin == std::string::npos) return std::nullopt;
    // The report ends with the first line that is its closing brace; messages may follow.
    const auto end = output.find("\n}", begin);
    if (end == std::string::npos) return std::nullopt;
    try {
        const auto report = json::parse(output.substr(begin, end + 2 - begin));
        for (const auto& finding : report.at("findings")) {
            if (finding.at("verdict").get<std::string>() != "refused") continue;
            return finding.at("subject").get<std::string>() + ": " +
                   finding.at("text").get<std::string>() + " (" +
                   finding.at("mend").get<std::string>() + ")";
        }
    } catch (const json::exception&) {
    }
    return std::nullopt;
}

std::string one_line(std::string text) {
    std::ranges::replace_if(
        text, [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
    constexpr std::size_t longest = 400;
    return text.substr(0, longest);
}

}  // namespace

CommandResult read_result(int status, const std::string& output) {
    using Kind = CommandResult::Kind;
    if (status == exit_ok) return {Kind::ok, {}};
    auto why = one_line(first_refusal(output).value_or(warmvm::last_line(output)));
    if (why.empty()) why = "xl-warm-reboot ended with status " + std::to_string(status);
    switch (status) {
        case exit_guest_refused:
            return {Kind::guest_refused, why};
        case exit_host_refused:
            return {Kind::host_refused, why};
        default:
            return {Kind::failed, why};
    }
}

}  // namespace roothammer::policy
