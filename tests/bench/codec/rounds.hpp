// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <algorithm>
#include <vector>

namespace replication::bench {

// What several rounds of one step took: the median, or the least of elapsed times, which anything
// else that runs can only lengthen.
class Rounds {
  public:
    explicit Rounds(bool wall) : wall_(wall) {}
    void add(double seconds) { seconds_.push_back(seconds); }
    double result() {
        std::sort(seconds_.begin(), seconds_.end());
        return wall_ ? seconds_.front() : seconds_[seconds_.size() / 2];
    }

  private:
    bool wall_;
    std::vector<double> seconds_;
};

}  // namespace replication::bench
