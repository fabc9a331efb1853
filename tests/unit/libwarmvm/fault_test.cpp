// SPDX-License-Identifier: GPL-2.0-only
#include "warmvm/fault.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <set>

#include "warmvm/error.hpp"

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
    EXPECT_NO_THROW(fault_point(FaultPoint::save_start));
}

TEST_F(Fault, ThrowsAtTheNamedPointOnce) {
    ::setenv("ROOTHAMMER_FAULT", "save-preserved", 1);
    EXPECT_NO_THROW(fault_point(FaultPoint::save_start));
    EXPECT_THROW(fault_point(FaultPoint::save_preserved), Error);
    EXPECT_NO_THROW(fault_point(FaultPoint::save_preserved));
}

TEST_F(Fault, CountsPasses) {
    ::setenv("ROOTHAMMER_FAULT", "freeze-guest-saved:3", 1);
    EXPECT_NO_THROW(fault_point(FaultPoint::freeze_guest_saved));
    EXPECT_NO_THROW(fault_point(FaultPoint::freeze_guest_saved));
    EXPECT_THROW(fault_point(FaultPoint::freeze_guest_saved), Error);
}

TEST_F(Fault, KillsWithoutAWord) {
    ::setenv("ROOTHAMMER_KILL", "freeze-armed", 1);
    EXPECT_EXIT(fault_point(FaultPoint::freeze_armed), ::testing::KilledBySignal(SIGKILL), "");
}

TEST_F(Fault, NamesAreDistinct) {
    EXPECT_EQ(std::set(fault_point_names.begin(), fault_point_names.end()).size(),
              fault_point_names.size());
}

}  // namespace
}  // namespace warmvm
