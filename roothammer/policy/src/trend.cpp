// SPDX-License-Identifier: GPL-2.0-only
#include "policy/trend.hpp"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cmath>

namespace roothammer::policy {
namespace {

// 128 points are 8128 pairs.
constexpr std::size_t most_points = 128;
// How much of a likeness between neighbours is taken for one. A series that only rises, but not in
// a straight line, looks like a perfect likeness, and must not be explained away.
constexpr double most_likeness = 0.9;

double median(std::vector<double>& values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    if (values.size() % 2 == 1) return *middle;
    return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

std::int64_t kendall_s(std::span<const Point> points) {
    std::int64_t s = 0;
    for (std::size_t i = 0; i < points.size(); ++i) {
        for (std::size_t j = i + 1; j < points.size(); ++j) {
            s += (points[j].value > points[i].value) - (points[j].value < points[i].value);
        }
    }
    return s;
}

// Kendall (1975): n(n-1)(2n+5)/18, less the same of every group of equal values.
double tied_variance(std::span<const Point> points) {
    std::vector<double> values;
    for (const auto& point : points) values.push_back(point.value);
    std::ranges::sort(values);
    const auto term = [](double n) { return n * (n - 1) * (2 * n + 5); };
    double sum = term(static_cast<double>(values.size()));
    for (std::size_t first = 0; first < values.size();) {
        auto next = first;
        while (next < values.size() && values[next] == values[first]) ++next;
        sum -= term(static_cast<double>(next - first));
        first = next;
    }
    return sum / 18;
}

std::vector<double> all_slopes(std::span<const Point> points) {
    std::vector<double> slopes;
    slopes.reserve(points.size() * (points.size() - 1) / 2);
    for (std::size_t i = 0; i < points.size(); ++i) {
        for (std::size_t j = i + 1; j < points.size(); ++j) {
            const auto time = points[j].time - points[i].time;
            if (time > 0) slopes.push_back((points[j].value - points[i].value) / time);
        }
    }
    return slopes;
}

// Ranks, equal values sharing the mean of theirs, less their mean.
std::vector<double> centred_ranks(const std::vector<double>& values) {
    std::vector<std::size_t> order(values.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::sort(order, {}, [&](std::size_t i) { return values[i]; });
    std::vector<double> ranks(values.size());
    const auto mean = (static_cast<double>(values.size()) - 1) / 2;
    for (std::size_t first = 0; first < order.size();) {
        auto next = first;
        while (next < order.size() && values[order[next]] == values[order[first]]) ++next;
        const auto rank = static_cast<double>(first + next - 1) / 2 - mean;
        for (; first < next; ++first) ranks[order[first]] = rank;
    }
    return ranks;
}

// Correlation of neighbours, of the detrended series' ranks, taken for a first-order process. A fit
// of level and slope makes it look smaller by (2 + 4r)/n (Marriott & Pope 1954), which is undone.
double likeness(std::span<const Point> points, double slope) {
    std::vector<double> rest;
    for (const auto& point : points) rest.push_back(point.value - slope * point.time);
    const auto ranks = centred_ranks(rest);
    double power = 0;
    double product = 0;
    for (std::size_t i = 0; i < ranks.size(); ++i) {
        power += ranks[i] * ranks[i];
        if (i > 0) product += ranks[i - 1] * ranks[i];
    }
    const auto n = static_cast<double>(points.size());
    constexpr double fewest = 8;
    if (power == 0 || n < fewest) return 0;
    return std::clamp((n * product / power + 2) / (n - 4), 0.0, most_likeness);
}

// Hamed & Rao (1998), equation 11, with r^lag for the correlation at each lag (Yue & Wang 2004):
// how much larger the variance of s is than for independent values. Never below 1: what alternates
// would otherwise look surer than independent values.
double correlation_factor(std::span<const Point> points) {
    auto slopes = all_slopes(points);
    if (slopes.empty()) return 1;
    const auto r = likeness(points, median(slopes));
    const auto n = static_cast<double>(points.size());
    double sum = 0;
    double power = r;
    for (std::size_t lag = 1; lag + 2 < points.size(); ++lag) {
        const auto left = n - static_cast<double>(lag);
        sum += left * (left - 1) * (left - 2) * power;
        power *= r;
    }
    return 1 + 2 * sum / (n * (n - 1) * (n - 2));
}

bool is_trend(const MannKendall& test, std::int64_t sign, double significance) {
    return test.p < significance && test.s * sign > 0;
}

}  // namespace

MannKendall mann_kendall(std::span<const Point> points) {
    MannKendall result;
    if (points.size() < 3) return result;
    result.s = kendall_s(points);
    result.correlation = correlation_factor(points);
    result.variance = tied_variance(points) * result.correlation;
    if (result.s == 0 || result.variance <= 0) return result;
    const auto s = static_cast<double>(result.s);
    result.z = (s > 0 ? s - 1 : s + 1) / std::sqrt(result.variance);
    result.p = std::erfc(std::abs(result.z) / std::sqrt(2.0));
    return result;
}

SenSlope sen_slope(std::span<const Point> points, double variance, double confidence) {
    if (points.size() < 2) return {};
    auto slopes = all_slopes(points);
    if (slopes.empty()) return {};
    const auto count = static_cast<double>(slopes.size());
    const auto quantile = boost::math::quantile(boost::math::normal(), 1 - (1 - confidence) / 2);
    const auto width = quantile * std::sqrt(std::max(variance, 0.0));
    const auto at = [&](double rank) {  // from 1
        const auto index = static_cast<std::ptrdiff_t>(std::clamp(rank, 1.0, count)) - 1;
        std::nth_element(slopes.begin(), slopes.begin() + index, slopes.end());
        return slopes[static_cast<std::size_t>(index)];
    };
    // Gilbert (1987), 16.3.2: ranks (N - C)/2 and (N + C)/2 + 1; rounded outwards.
    const auto low = at(std::floor((count - width) / 2));
    const auto high = at(std::ceil((count + width) / 2) + 1);
    return {median(slopes), low, high};
}

std::vector<Point> thin(std::span<const Point> points, std::size_t max_points) {
    if (points.size() <= max_points || max_points == 0) return {points.begin(), points.end()};
    const auto start = points.front().time;
    const auto span = points.back().time - start;
    std::vector<Point> thinned;
    std::vector<double> times;
    std::vector<double> values;
    std::size_t share = 0;
    const auto close = [&] {
        if (values.empty()) return;
        thinned.push_back({median(times), median(values)});
        times.clear();
        values.clear();
    };
    for (const auto& point : points) {
        const auto part = span > 0 ? (point.time - start) / span : 0;
        const auto its = std::min(max_points - 1,
                                  static_cast<std::size_t>(part * static_cast<double>(max_points)));
        if (its != share) close();
        share = its;
        times.push_back(point.time);
        values.push_back(point.value);
    }
    close();
    return thinned;
}

Trend find_trend(std::span<const Point> points, const TrendRules& rules) {
    Trend trend;
    trend.points = points.size();
    if (points.empty()) return trend;
    trend.span = points.back().time - points.front().time;
    const auto series = thin(points, most_points);
    trend.test = mann_kendall(series);
    trend.slope = sen_slope(series, trend.test.variance, 1 - rules.significance);
    if (points.size() < rules.min_points || trend.span < rules.min_span) return trend;
    trend.kind = TrendKind::none;
    const std::int64_t sign = trend.test.s > 0 ? 1 : -1;
    const bool is_sure = sign > 0 ? trend.slope.low > 0 : trend.slope.high < 0;
    if (!is_trend(trend.test, sign, rules.significance) || !is_sure) return trend;
    const std::span all(series);
    const auto half = all.size() / 2;
    const bool goes_on = is_trend(mann_kendall(all.first(half)), sign, rules.half_significance) &&
                         is_trend(mann_kendall(all.subspan(half)), sign, rules.half_significance);
    trend.kind = !goes_on ? TrendKind::passing : sign > 0 ? TrendKind::rising : TrendKind::falling;
    return trend;
}

}  // namespace roothammer::policy
