// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <ctime>

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

}  // namespace replication::trace
