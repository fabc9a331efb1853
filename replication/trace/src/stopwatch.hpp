// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <algorithm>
#include <ctime>
#include <vector>

namespace replication::trace {

// CPU time of the process, or elapsed time.
class Stopwatch {
  public:
    explicit Stopwatch(bool wall) : clock_(wall ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID) {}

    template <typename Step>
    double seconds(Step step) const {
        const double start = now();
        step();
        return now() - start;
    }

  private:
    double now() const {
        timespec time;
        ::clock_gettime(clock_, &time);
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
    }
    clockid_t clock_;
};

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

}  // namespace replication::trace
