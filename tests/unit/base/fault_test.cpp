// SPDX-License-Identifier: GPL-2.0-only
#include "base/fault.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>

#include "base/error.hpp"

namespace warmvm {
namespace {

class Fault : public ::testing::Test {
  protected:
    Fault() { reset_fault_points(); }
    ~Fault() override {
        ::unsetenv("ROOTHAMMER_FAULT");
        ::unsetenv("ROOTHAMMER_KILL");
    }
};

TEST_F(Fault, NothingAskedForNothingHappens) {
    EXPECT_NO_THROW(fault_point("save-start"));
}

TEST_F(Fault, ThrowsAtTheNamedPointOnce) {
    ::setenv("ROOTHAMMER_FAULT", "save-preserved", 1);
    EXPECT_NO_THROW(fault_point("save-start"));
    EXPECT_THROW(fault_point("save-preserved"), Error);
    EXPECT_NO_THROW(fault_point("save-preserved"));
}

TEST_F(Fault, CountsPasses) {
    ::setenv("ROOTHAMMER_FAULT", "freeze-guest-saved:3", 1);
    EXPECT_NO_THROW(fault_point("freeze-guest-saved"));
    EXPECT_NO_THROW(fault_point("freeze-guest-saved"));
    EXPECT_THROW(fault_point("freeze-guest-saved"), Error);
}

TEST_F(Fault, KillsWithoutAWord) {
    ::setenv("ROOTHAMMER_KILL", "freeze-armed", 1);
    EXPECT_EXIT(fault_point("freeze-armed"), ::testing::KilledBySignal(SIGKILL), "");
}

}  // namespace
}  // namespace warmvm
