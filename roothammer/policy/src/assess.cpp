// SPDX-License-Identifier: GPL-2.0-only
#include "policy/assess.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "policy/units.hpp"

namespace roothammer::policy {
namespace {

double seconds_of(std::chrono::milliseconds time) {
    return static_cast<double>(time.count()) / 1000;
}

std::optional<double> used_of(const Values& values, Resource resource) {
    const auto number = [&](Value value) -> std::optional<double> {
        const auto& raw = values[value];
        if (!raw) return std::nullopt;
        return static_cast<double>(*raw);
    };
    switch (resource) {
        case Resource::xen_heap:
            return number(Value::xen_own);
        case Resource::xenstored:
            return number(Value::xenstored);
        case Resource::dom0_memory: {
            const auto total = number(Value::dom0_total);
            const auto available = number(Value::dom0_available);
            if (!total || !available) return std::nullopt;
            return *total - *available;
        }
        case Resource::dom0_swap:
            return number(Value::swap_used);
    }
    return std::nullopt;
}

std::optional<double> headroom_of(const Values& values, Resource resource, const Config& config) {
    const auto number = [&](Value value) { return static_cast<double>(*values[value]); };
    switch (resource) {
        case Resource::xen_heap:
            if (!values[Value::xen_free]) return std::nullopt;
            return number(Value::xen_free) - static_cast<double>(config.xen_reserve);
        case Resource::xenstored: {
            if (!values[Value::xenstored] || !values[Value::dom0_total]) return std::nullopt;
            const auto limit = config.xenstored_limit ? static_cast<double>(config.xenstored_limit)
                                                      : number(Value::dom0_total) / 4;
            return limit - number(Value::xenstored);
        }
        case Resource::dom0_memory:
            if (!values[Value::dom0_total] || !values[Value::dom0_available]) return std::nullopt;
            return number(Value::dom0_available) -
                   number(Value::dom0_total) * config.dom0_reserve_percent / 100;
        case Resource::dom0_swap:
            if (!values[Value::swap_total] || !values[Value::swap_used]) return std::nullopt;
            return number(Value::swap_total) - number(Value::swap_used);
    }
    return std::nullopt;
}

// Never beyond ten thousand years: a slope may be as good as zero.
double time_until(double headroom, double slope) {
    constexpr double limit = 3e11;
    return slope > 0 ? std::min(std::max(headroom, 0.0) / slope, limit) : limit;
}

void extrapolate(ResourceTrend& of, const Config& config) {
    if (of.trend.kind != TrendKind::rising || !of.headroom) return;
    of.earliest = time_until(*of.headroom, of.trend.slope.high);
    of.expected = time_until(*of.headroom, of.trend.slope.slope);
    of.latest = time_until(*of.headroom, of.trend.slope.low);
    of.is_due = *of.earliest <= static_cast<double>(config.horizon.count());
}

bool combine(DecideBy by, bool time, bool trend) {
    switch (by) {
        case DecideBy::time:
            return time;
        case DecideBy::trend:
            return trend;
        case DecideBy::both:
            return time && trend;
        case DecideBy::either:
            return time || trend;
    }
    return false;
}

std::string say_why(const Assessment& assessment, const Sample& now, const Config& config) {
    std::vector<std::string> reasons;
    if (assessment.due_by_time && config.decide_by != DecideBy::trend) {
        reasons.push_back("this boot is " + in_words(now.moment.uptime) + " old, of " +
                          in_words(config.interval) + " wanted at most");
    }
    if (config.decide_by != DecideBy::time) {
        for (const auto& one : assessment.resources) {
            if (!one.is_due) continue;
            reasons.push_back(
                std::string(resource_names.at(static_cast<std::size_t>(one.resource))) +
                " may run out in " + in_words(*one.earliest));
        }
        if (assessment.out_of_memory) reasons.emplace_back("dom0 has run out of memory");
    }
    std::string why;
    for (const auto& reason : reasons) why += (why.empty() ? "" : ", ") + reason;
    return why;
}

}  // namespace

Assessment assess(std::span<const Sample> samples, const Config& config) {
    Assessment result;
    const auto& now = samples.back();
    const auto first =
        std::ranges::find(samples, now.moment.boot, [](const auto& s) { return s.moment.boot; });
    const std::span series(first, samples.end());
    result.samples = series.size();
    // Each test is a chance of a false alarm (Bonferroni).
    result.significance = config.significance / static_cast<double>(resource_names.size());
    for (std::size_t i = 0; i < resource_names.size(); ++i) {
        auto& one = result.resources.at(i);
        one.resource = static_cast<Resource>(i);
        std::vector<Point> points;
        for (const auto& sample : series) {
            // A guest more takes more of everything, and that is no aging.
            if (sample.values[Value::guests] != now.values[Value::guests]) continue;
            if (const auto used = used_of(sample.values, one.resource)) {
                points.push_back({seconds_of(sample.moment.uptime), *used});
            }
        }
        one.trend = find_trend(points, {result.significance, config.significance,
                                        static_cast<std::size_t>(config.min_samples),
                                        static_cast<double>(config.min_span.count())});
        one.used = used_of(now.values, one.resource);
        one.headroom = headroom_of(now.values, one.resource, config);
        extrapolate(one, config);
        result.due_by_trend |= one.is_due;
    }
    result.out_of_memory =
        config.out_of_memory_lines > 0 &&
        now.values[Value::out_of_memory].value_or(0) >= config.out_of_memory_lines;
    result.due_by_trend |= result.out_of_memory;
    result.due_by_time = now.moment.uptime >= config.interval;
    result.is_due = combine(config.decide_by, result.due_by_time, result.due_by_trend);
    if (result.is_due) result.why = say_why(result, now, config);
    return result;
}

bool has_stepped(const Moment& before, const Moment& after) {
    // Readings a moment apart, rounding, and a clock that is being slewed (500 ppm at most by NTP).
    constexpr double base = 5;
    constexpr double slew = 0.001;
    const auto by_uptime = seconds_of(after.uptime - before.uptime);
    const auto by_wall = static_cast<double>(after.wall - before.wall);
    return std::abs(by_wall - by_uptime) > base + slew * std::abs(by_uptime);
}

}  // namespace roothammer::policy
