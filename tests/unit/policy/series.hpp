// SPDX-License-Identifier: GPL-2.0-only
// Simulated histories: shapes with seeded noise.
#pragma once

#include <cmath>
#include <functional>
#include <random>
#include <vector>

#include "policy/trend.hpp"

namespace roothammer::policy {

inline constexpr double quarter_hour = 900;

// count points, a quarter of an hour apart, of shape(i) and what noise() adds.
inline std::vector<Point> series(
    std::size_t count, const std::function<double(double)>& shape,
    const std::function<double()>& noise = [] { return 0.0; }) {
    std::vector<Point> points;
    for (std::size_t i = 0; i < count; ++i) {
        const auto at = static_cast<double>(i);
        points.push_back({at * quarter_hour, shape(at) + noise()});
    }
    return points;
}

// Normal values, each resembling the one before by `memory` (0: independent).
class Noise {
  public:
    explicit Noise(unsigned seed, double size = 1, double memory = 0)
        : random_(seed), normal_(0, size * std::sqrt(1 - memory * memory)), memory_(memory) {}
    double operator()() { return last_ = memory_ * last_ + normal_(random_); }

  private:
    std::mt19937 random_;
    std::normal_distribution<double> normal_;
    double memory_;
    double last_ = 0;
};

}  // namespace roothammer::policy
