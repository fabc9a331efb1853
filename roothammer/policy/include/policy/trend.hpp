// SPDX-License-Identifier: GPL-2.0-only
// Does a series rise, how fast, and how sure is that? Rank statistics only: no value's size, only
// the order of values, says whether there is a trend, so that a few wild ones do no harm.
// Mann (1945), Kendall (1975): the test; Sen (1968): the slope and its interval; Hamed & Rao
// (1998), Yue & Wang (2004): the variance when neighbours resemble each other.
// docs/design/policy.md says why these.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace roothammer::policy {

struct Point {
    double time = 0;  // seconds
    double value = 0;
};

struct MannKendall {
    std::int64_t s = 0;      // pairs that rise minus pairs that fall
    double variance = 0;     // of s if there is no trend: for ties, then for autocorrelation
    double correlation = 1;  // what autocorrelation has multiplied the variance by, at least 1
    double z = 0;
    double p = 1;  // two-sided, normal approximation with continuity correction
};
// Points in the order of their times. Fewer than three, or all values equal: p is 1.
MannKendall mann_kendall(std::span<const Point> points);

// Value per second.
struct SenSlope {
    double slope = 0;  // median over all pairs
    double low = 0, high = 0;
};
// variance: of Mann-Kendall's s; confidence: 0.95, say. Pairs at one time are left out; no pair at
// all gives zeros.
SenSlope sen_slope(std::span<const Point> points, double variance, double confidence);

// At most max_points, evenly over time: each the median of what fell into its share of the span.
// Bounds the cost (both estimates look at all pairs) and evens out irregular sampling.
std::vector<Point> thin(std::span<const Point> points, std::size_t max_points);

struct TrendRules {
    double significance = 0;       // of the test over the whole series
    double half_significance = 0;  // over each half of it
    std::size_t min_points = 0;
    double min_span = 0;  // seconds from the first to the last
};

enum class TrendKind {
    too_few,  // points, or too short a time
    none,
    rising,
    falling,
    passing,  // a trend over the whole, but not in both halves: a step, a plateau, a start
};

struct Trend {
    TrendKind kind = TrendKind::too_few;
    std::size_t points = 0;  // before thinning
    double span = 0;         // seconds
    MannKendall test;
    SenSlope slope;  // confidence: 1 - significance
};
Trend find_trend(std::span<const Point> points, const TrendRules& rules);

}  // namespace roothammer::policy
