// SPDX-License-Identifier: GPL-2.0-only
#include "policy/explain.hpp"

#include <nlohmann/json.hpp>

#include "policy/units.hpp"

namespace roothammer::policy {
namespace {

using nlohmann::json;

std::string_view name(TrendKind kind) {
    switch (kind) {
        case TrendKind::too_few:
            return "too-few-samples";
        case TrendKind::none:
            return "none";
        case TrendKind::rising:
            return "rising";
        case TrendKind::falling:
            return "falling";
        case TrendKind::passing:
            return "passing";
    }
    return "";
}

std::string_view name(Resource resource) {
    return resource_names.at(static_cast<std::size_t>(resource));
}

constexpr double day = 86400;

std::string say(const ResourceTrend& one, const Config& config) {
    const std::string subject(name(one.resource));
    const auto& trend = one.trend;
    switch (trend.kind) {
        case TrendKind::too_few:
            return subject + ": too few samples (" + std::to_string(trend.points) + " over " +
                   in_words(trend.span) + ", of " + std::to_string(config.min_samples) + " over " +
                   in_words(config.min_span) + ").";
        case TrendKind::none:
            return subject + " shows no trend (p = " + rounded(trend.test.p) + ").";
        case TrendKind::passing:
            return subject + " has changed, but does not go on changing.";
        case TrendKind::falling:
            return subject + " falls.";
        case TrendKind::rising:
            break;
    }
    auto text = subject + " grows by " + in_bytes(trend.slope.slope * day) + " a day (" +
                in_bytes(trend.slope.low * day) + " to " + in_bytes(trend.slope.high * day) +
                ", p = " + rounded(trend.test.p) + ")";
    if (one.expected) {
        text += "; the " + in_bytes(*one.headroom) + " that are left would last " +
                in_words(*one.expected) + " (" + in_words(*one.earliest) + " to " +
                in_words(*one.latest) + ")";
    }
    return text + ".";
}

// Where the model's numbers come from, in words.
std::string origin_of(const CostModel& model) {
    std::string text;
    for (const auto origin : {Origin::measured, Origin::assumed, Origin::paper}) {
        const auto has_it = [&](const LinearTime& part) { return part.origin == origin; };
        if (!has_it(model.reboot_vmm) && !has_it(model.resume) && !has_it(model.reboot_os) &&
            !has_it(model.reset_hw)) {
            continue;
        }
        text += (text.empty() ? "" : " and ");
        text += origin == Origin::paper ? "the paper's" : name(origin);
    }
    return text + " numbers";
}

std::string counted(std::uint64_t number, const std::string& what) {
    return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

std::string say_cost(const Outcome& outcome, const Config& config) {
    const auto& cost = outcome.cost;
    auto text = "With " + counted(cost.guests, "guest") + " a warm reboot would cost each " +
                in_words(cost.warm) + ", a cold one " + in_words(cost.cold) + " (the model, with " +
                origin_of(config.model) + ")";
    if (outcome.last_reboot) {
        text += "; the last warm reboot here cost " + in_words(outcome.last_reboot->blackout) +
                " with " + counted(outcome.last_reboot->guests, "guest") + " (measured)";
    }
    return text + ".";
}

template <class T>
json or_null(const std::optional<T>& value) {
    return value ? json(*value) : json();
}

json to_object(const ResourceTrend& one) {
    const auto& trend = one.trend;
    return {{"resource", name(one.resource)},
            {"used_bytes", or_null(one.used)},
            {"headroom_bytes", or_null(one.headroom)},
            {"trend", name(trend.kind)},
            {"points", trend.points},
            {"span_seconds", trend.span},
            {"mann_kendall",
             {{"s", trend.test.s},
              {"variance", trend.test.variance},
              {"correlation_factor", trend.test.correlation},
              {"z", trend.test.z},
              {"p", trend.test.p}}},
            {"slope_bytes_per_second",
             {{"sen", trend.slope.slope}, {"low", trend.slope.low}, {"high", trend.slope.high}}},
            {"seconds_to_exhaustion",
             {{"earliest", or_null(one.earliest)},
              {"expected", or_null(one.expected)},
              {"latest", or_null(one.latest)}}},
            {"due", one.is_due}};
}

json to_object(const LinearTime& time) {
    return {{"slope", time.slope}, {"constant", time.constant}, {"origin", name(time.origin)}};
}

}  // namespace

std::string explain(const Outcome& outcome, const Config& config) {
    auto text = std::string(name(outcome.decision)) + ": " + outcome.line + ".";
    for (const auto& note : outcome.notes) text += " Note: " + note + ".";
    if (!outcome.now) return text + "\n";
    text += " This boot is " + in_words(outcome.now->moment.uptime) + " old and has " +
            counted(outcome.assessment.samples, "sample") + "; decided by " +
            std::string(name(config.decide_by)) + ".";
    for (const auto& one : outcome.assessment.resources) text += " " + say(one, config);
    const auto& values = outcome.now->values;
    if (values[Value::out_of_memory]) {
        text += " dom0's kernel has logged " + counted(*values[Value::out_of_memory], "shortage") +
                " of memory and " + counted(values[Value::log_errors].value_or(0), "error") + ".";
    }
    return text + " " + say_cost(outcome, config) + "\n";
}

std::string to_json(const Outcome& outcome, const Config& config) {
    json object{{"decision", name(outcome.decision)},
                {"status", static_cast<int>(outcome.decision)},
                {"line", outcome.line},
                {"notes", outcome.notes},
                {"decided_by", name(config.decide_by)}};
    if (outcome.now) {
        const auto& assessment = outcome.assessment;
        json resources = json::array();
        for (const auto& one : assessment.resources) resources.push_back(to_object(one));
        object["sample"] = json::parse(to_json(*outcome.now));
        object["samples_of_this_boot"] = assessment.samples;
        object["significance_of_each_test"] = assessment.significance;
        object["resources"] = resources;
        object["due"] = {{"by_time", assessment.due_by_time},
                         {"by_trend", assessment.due_by_trend},
                         {"out_of_memory", assessment.out_of_memory},
                         {"at_all", assessment.is_due},
                         {"why", assessment.why}};
        const auto& model = config.model;
        object["cost"] = {{"guests", outcome.cost.guests},
                          {"warm_seconds", outcome.cost.warm},
                          {"cold_seconds", outcome.cost.cold},
                          {"saved_seconds", outcome.cost.saved},
                          {"alpha", model.alpha},
                          {"reboot_vmm", to_object(model.reboot_vmm)},
                          {"resume", to_object(model.resume)},
                          {"reboot_os", to_object(model.reboot_os)},
                          {"reset_hw", to_object(model.reset_hw)}};
        if (outcome.last_reboot) {
            object["cost"]["last_warm_reboot"] = {
                {"guests", outcome.last_reboot->guests},
                {"blackout_seconds", outcome.last_reboot->blackout},
                {"origin", name(Origin::measured)}};
        }
    }
    return object.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace roothammer::policy
