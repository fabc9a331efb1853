// SPDX-License-Identifier: GPL-2.0-only
#include "policy/tries.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "policy/history.hpp"
#include "policy/record_line.hpp"

namespace roothammer::policy {
namespace {

using nlohmann::json;
using warmvm::Error;
using warmvm::StreamErrc;

constexpr std::array stage_names{std::string_view("idle"), std::string_view("acting"),
                                 std::string_view("failed")};
constexpr std::size_t max_why = 500;

// The moment of a try is written like a sample's.
json to_object(const Moment& moment) {
    Sample sample;
    sample.moment = moment;
    return json::parse(to_json(sample));
}

}  // namespace

std::string to_text(const Tries& tries) {
    json object{{"stage", stage_names.at(static_cast<std::size_t>(tries.stage))},
                {"failures", tries.failures},
                {"why", tries.why.substr(0, max_why)}};
    if (tries.stage != Tries::Stage::idle) object["at"] = to_object(tries.at);
    return seal(object.dump(-1, ' ', true, json::error_handler_t::replace));
}

Tries parse_tries(std::string_view text) {
    if (!text.ends_with('\n')) throw Error(StreamErrc::truncated, "tries");
    text.remove_suffix(1);
    try {
        const auto object = json::parse(unseal(text));
        Tries tries;
        const auto stage = std::ranges::find(stage_names, object.at("stage").get<std::string>());
        if (stage == stage_names.end()) throw Error(StreamErrc::bad_value, "tries: stage");
        tries.stage = static_cast<Tries::Stage>(stage - stage_names.begin());
        const auto& failures = object.at("failures");
        constexpr std::uint64_t most = 1000;
        if (!failures.is_number_unsigned() || failures.get<std::uint64_t>() > most) {
            throw Error(StreamErrc::bad_value, "tries: failures");
        }
        tries.failures = failures.get<std::uint64_t>();
        tries.why = object.at("why").get<std::string>();
        if (tries.stage != Tries::Stage::idle) {
            tries.at = parse_sample(object.at("at").dump()).moment;
            if (tries.failures == 0) throw Error(StreamErrc::bad_value, "tries: failures");
        }
        return tries;
    } catch (const json::exception& error) {
        throw Error(StreamErrc::bad_value, std::string("tries: ") + error.what());
    }
}

Tries settle(Tries tries, const Moment& now, std::optional<std::uint64_t> generation) {
    if (tries.stage != Tries::Stage::acting) return tries;
    if (tries.at.boot == now.boot) {
        tries.stage = Tries::Stage::failed;
        tries.why = "it was called off, or xl-warm-reboot ended, and this boot goes on";
        return tries;
    }
    if (generation.value_or(0) > 0) return {};
    tries.stage = Tries::Stage::failed;
    tries.why = generation ? "the host came back by a cold boot"
                           : "whether this boot is a warm one is not known";
    tries.at = now;
    return tries;
}

std::chrono::milliseconds time_since(const Tries& tries, const Moment& now) {
    if (tries.at.boot != now.boot) return now.uptime;
    return std::max(now.uptime - tries.at.uptime, std::chrono::milliseconds(0));
}

std::chrono::seconds back_off(std::uint64_t failures, std::chrono::seconds retry_after) {
    constexpr std::chrono::seconds most = std::chrono::days(28);
    auto wait = retry_after;
    for (std::uint64_t i = 1; i < failures && wait < most; ++i) wait *= 2;
    return std::min(wait, most);
}

}  // namespace roothammer::policy
