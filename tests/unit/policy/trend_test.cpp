// SPDX-License-Identifier: GPL-2.0-only
// The estimates against values worked out elsewhere, and the verdicts on shapes a host may show.
#include "policy/trend.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "series.hpp"

namespace roothammer::policy {
namespace {

constexpr TrendRules rules{0.05, 0.05, 24, 24 * quarter_hour};

std::vector<Point> of_values(const std::vector<double>& values) {
    std::vector<Point> points;
    for (std::size_t i = 0; i < values.size(); ++i) {
        points.push_back({static_cast<double>(i), values[i]});
    }
    return points;
}

TEST(MannKendall, FiveInARow) {
    const auto test = mann_kendall(of_values({1, 2, 3, 4, 5}));
    EXPECT_EQ(test.s, 10);
    EXPECT_NEAR(test.variance, 5 * 4 * 15 / 18.0, 1e-12);
    EXPECT_NEAR(test.z, 9 / std::sqrt(5 * 4 * 15 / 18.0), 1e-12);
    EXPECT_NEAR(test.p, 0.0274863, 1e-6);
}

TEST(MannKendall, TiesLessenTheVariance) {
    // One pair and one triple: (8*7*21 - 2*1*9 - 3*2*11) / 18
    const auto test = mann_kendall(of_values({1, 5, 2, 5, 3, 7, 7, 7}));
    EXPECT_EQ(test.s, 18);
    EXPECT_NEAR(test.variance / test.correlation, (8 * 7 * 21 - 2 * 1 * 9 - 3 * 2 * 11) / 18.0,
                1e-9);
}

TEST(MannKendall, NothingIsNoTrend) {
    EXPECT_EQ(mann_kendall({}).p, 1);
    EXPECT_EQ(mann_kendall(of_values({1, 2})).p, 1);
    EXPECT_EQ(mann_kendall(of_values(std::vector<double>(50, 7))).p, 1);
}

TEST(MannKendall, FallingIsTheMirrorOfRising) {
    const auto up = mann_kendall(of_values({1, 3, 2, 5, 4, 6, 8, 7}));
    const auto down = mann_kendall(of_values({-1, -3, -2, -5, -4, -6, -8, -7}));
    EXPECT_EQ(up.s, -down.s);
    EXPECT_DOUBLE_EQ(up.p, down.p);
}

TEST(MannKendall, RejectsWhiteNoiseAsOftenAsItSays) {
    int rejected = 0;
    constexpr int histories = 1000;
    for (unsigned seed = 0; seed < histories; ++seed) {
        Noise noise(seed);
        const auto points = series(
            48, [](double) { return 0; }, std::ref(noise));
        rejected += mann_kendall(points).p < 0.05;
    }
    // 50 expected; 3 standard deviations are 21. Not far fewer either: it must be a test.
    EXPECT_LE(rejected, 71);
    EXPECT_GE(rejected, 20);
}

TEST(SenSlope, IsTheMedianOfAllPairs) {
    // Slopes: 1, 2, 3, 3, 4, 5 -> (3 + 3) / 2
    const auto slope = sen_slope(of_values({0, 1, 4, 9}), 0, 0.95);
    EXPECT_DOUBLE_EQ(slope.slope, 3);
}

TEST(SenSlope, FewWildValuesDoNoHarm) {
    auto points = series(60, [](double i) { return 10 * i; });
    for (const std::size_t wild : {3u, 20u, 41u, 55u}) points[wild].value = 1e9;
    const auto slope = sen_slope(points, mann_kendall(points).variance, 0.95);
    EXPECT_NEAR(slope.slope, 10 / quarter_hour, 1e-9);
}

TEST(SenSlope, IrregularTimesDoNotBendIt) {
    std::mt19937 random(5);
    std::uniform_real_distribution<double> gap(1, 20000);
    std::vector<Point> points;
    for (double time = 0; points.size() < 100; time += gap(random)) {
        points.push_back({time, 3 * time});
    }
    EXPECT_NEAR(sen_slope(points, 100, 0.95).slope, 3, 1e-9);
}

TEST(SenSlope, PairsAtOneTimeAreLeftOut) {
    const std::vector<Point> points{{0, 0}, {0, 100}, {10, 10}, {10, 110}};
    EXPECT_TRUE(std::isfinite(sen_slope(points, 1, 0.95).slope));
    EXPECT_EQ(sen_slope(std::vector<Point>{{1, 1}, {1, 2}}, 1, 0.95).slope, 0);
}

TEST(SenSlope, TheIntervalHoldsTheTrueSlopeAsOftenAsItSays) {
    int held = 0;
    constexpr int histories = 500;
    constexpr double truth = 0.02 / quarter_hour;
    for (unsigned seed = 0; seed < histories; ++seed) {
        Noise noise(seed);
        const auto points = series(
            48, [](double i) { return 0.02 * i; }, std::ref(noise));
        const auto slope = sen_slope(points, mann_kendall(points).variance, 0.95);
        held += slope.low <= truth && truth <= slope.high;
        EXPECT_LE(slope.low, slope.slope);
        EXPECT_LE(slope.slope, slope.high);
    }
    EXPECT_GE(held, histories * 93 / 100);
    EXPECT_LE(held, histories * 99 / 100);
}

TEST(Thin, KeepsShapeAndBound) {
    const auto points = series(5000, [](double i) { return 2 * i; });
    const auto thinned = thin(points, 128);
    EXPECT_LE(thinned.size(), 128u);
    EXPECT_GE(thinned.size(), 127u);
    EXPECT_NEAR(sen_slope(thinned, 100, 0.95).slope, 2 / quarter_hour, 1e-9);
    EXPECT_EQ(thin(std::span(points).first(100), 128).size(), 100u);
}

TEST(FindTrend, ALinearLeak) {
    Noise noise(1, 50);
    const auto trend = find_trend(series(
                                      96, [](double i) { return 1000 + 10 * i; }, std::ref(noise)),
                                  rules);
    EXPECT_EQ(trend.kind, TrendKind::rising);
    EXPECT_NEAR(trend.slope.slope * quarter_hour, 10, 1);
}

// What only ever rises, but not in a straight line, is no likeness of neighbours.
TEST(FindTrend, ALeakThatIsNotStraight) {
    const auto expect_rising = [](const std::function<double(double)>& shape, const char* what) {
        for (const std::size_t count : {32u, 96u, 500u}) {
            EXPECT_EQ(find_trend(series(count, shape), rules).kind, TrendKind::rising)
                << what << " " << count;
        }
    };
    expect_rising([](double i) { return i * i; }, "ever faster");
    expect_rising([](double i) { return std::sqrt(i); }, "ever slower");
    expect_rising([](double i) { return std::floor(i / 5) * 1000; }, "in steps");
    expect_rising([](double i) { return 20 * i + 15 * std::sin(i / 3); }, "in waves");
}

TEST(FindTrend, WhatFalls) {
    const auto trend = find_trend(series(96, [](double i) { return 1000 - i; }), rules);
    EXPECT_EQ(trend.kind, TrendKind::falling);
}

TEST(FindTrend, ALeakInALongHistoryIsFoundInTheThinnedOne) {
    Noise noise(2, 300);
    const auto trend = find_trend(series(
                                      2016, [](double i) { return i; }, std::ref(noise)),
                                  rules);
    EXPECT_EQ(trend.kind, TrendKind::rising);
    EXPECT_EQ(trend.points, 2016u);
}

TEST(FindTrend, ASawtooth) {
    Noise noise(3, 5);
    const auto trend =
        find_trend(series(
                       192, [](double i) { return std::fmod(i, 16) * 10; }, std::ref(noise)),
                   rules);
    EXPECT_TRUE(trend.kind == TrendKind::none || trend.kind == TrendKind::passing);
}

TEST(FindTrend, ALeakUnderASawtooth) {
    Noise noise(4, 5);
    const auto trend = find_trend(
        series(
            192, [](double i) { return std::fmod(i, 16) * 10 + 4 * i; }, std::ref(noise)),
        rules);
    EXPECT_EQ(trend.kind, TrendKind::rising);
    EXPECT_NEAR(trend.slope.slope * quarter_hour, 4, 0.4);
}

// A guest more: Xen has more to keep, once and for all.
TEST(FindTrend, AStepWhereverItIs) {
    for (const double at : {10.0, 24.0, 40.0, 47.0, 48.0, 49.0, 60.0, 85.0}) {
        Noise noise(static_cast<unsigned>(at), 3);
        const auto trend =
            find_trend(series(
                           96, [&](double i) { return i < at ? 0 : 1000; }, std::ref(noise)),
                       rules);
        EXPECT_NE(trend.kind, TrendKind::rising) << "step at " << at;
    }
}

TEST(FindTrend, APlateauAfterAStart) {
    Noise noise(6, 3);
    const auto trend =
        find_trend(series(
                       96, [](double i) { return std::min(i, 30.0) * 20; }, std::ref(noise)),
                   rules);
    EXPECT_EQ(trend.kind, TrendKind::passing);
}

TEST(FindTrend, TooFewOrTooShort) {
    const auto leak = [](double i) { return 100 * i; };
    EXPECT_EQ(find_trend(series(23, leak), rules).kind, TrendKind::too_few);
    EXPECT_EQ(find_trend(series(24, leak), rules).kind, TrendKind::too_few);  // 23 spans
    EXPECT_EQ(find_trend(series(25, leak), rules).kind, TrendKind::rising);
    EXPECT_EQ(find_trend({}, rules).kind, TrendKind::too_few);
}

// The chance of a trend where there is none, over seeded histories.
int false_alarms(int histories, double memory, double leak) {
    int alarms = 0;
    for (unsigned seed = 0; seed < static_cast<unsigned>(histories); ++seed) {
        Noise noise(1000 + seed, 1, memory);
        const auto trend = find_trend(series(
                                          96, [&](double i) { return leak * i; }, std::ref(noise)),
                                      rules);
        alarms += trend.kind == TrendKind::rising || trend.kind == TrendKind::falling;
    }
    return alarms;
}

TEST(FindTrend, FalseAlarmsStayWithinTheSignificance) {
    constexpr int histories = 600;
    constexpr int allowed = 30;  // 5 %
    EXPECT_LE(false_alarms(histories, 0, 0), allowed);
    EXPECT_LE(false_alarms(histories, 0.5, 0), allowed) << "neighbours resemble each other";
    EXPECT_LE(false_alarms(histories, 0.8, 0), allowed) << "very much so";
}

TEST(FindTrend, ALeakWithinTheNoiseIsSeldomCalledOneAndALargerOneAlways) {
    constexpr int histories = 300;
    // Over the whole series 0.1 and 10 standard deviations.
    EXPECT_LE(false_alarms(histories, 0, 0.1 / 96), histories * 5 / 100);
    EXPECT_GE(false_alarms(histories, 0, 10.0 / 96), histories * 99 / 100);
}

// Without the correction neighbours that resemble each other look like a trend. The figures of
// docs/design/policy.md are what this records (--gtest_output).
TEST(MannKendall, AutocorrelationWidensTheVariance) {
    constexpr int histories = 400;
    for (const double memory : {0.0, 0.3, 0.6, 0.8}) {
        int rejected = 0;
        int rejected_uncorrected = 0;
        for (unsigned seed = 0; seed < histories; ++seed) {
            Noise noise(seed, 1, memory);
            const auto test = mann_kendall(series(
                96, [](double) { return 0; }, std::ref(noise)));
            rejected += test.p < 0.05;
            rejected_uncorrected += std::abs(test.z * std::sqrt(test.correlation)) > 1.96;
        }
        const auto tenths = std::to_string(static_cast<int>(memory * 10));
        RecordProperty("correlation_" + tenths, rejected);
        RecordProperty("uncorrected_" + tenths, rejected_uncorrected);
        EXPECT_LE(rejected, histories * 12 / 100) << memory;
        if (memory > 0.5) {
            EXPECT_LE(rejected, rejected_uncorrected / 3) << memory;
        }
    }
}

}  // namespace
}  // namespace roothammer::policy
