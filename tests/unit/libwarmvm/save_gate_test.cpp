// SPDX-License-Identifier: GPL-2.0-only
#include "warmvm/save_gate.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "warmvm/error.hpp"

namespace warmvm {
namespace {

using std::chrono::steady_clock;

class SaveGateTest : public ::testing::Test {
  protected:
    SaveGateTest() {
        sigemptyset(&none_);
        ::alarm(limit_s);
    }
    ~SaveGateTest() override {
        ::alarm(0);
        ::unsetenv("WARMVM_SAVE_GATE");
    }

    // What the helper, which owns its end, finds in its environment.
    static void inherit(const std::string& value) {
        ASSERT_EQ(::setenv("WARMVM_SAVE_GATE", value.c_str(), 1), 0);
    }
    static std::string copy_of_helper_end(const SaveGate& gate) {
        return std::to_string(::dup(gate.helper_end()));
    }

    // What does not return is ended by its signal, which the runner sees.
    static constexpr unsigned limit_s = 60;
    static constexpr auto never = std::chrono::hours(1);
    sigset_t none_{};
};

TEST_F(SaveGateTest, LetsThroughWhoWaits) {
    SaveGate gate;
    inherit(copy_of_helper_end(gate));
    gate.close_helper_end();
    std::thread helper([&] { EXPECT_NO_THROW(wait_at_save_gate(none_)); });
    gate.wait_until_reached(steady_clock::now() + never);
    gate.open();
    helper.join();
    // Its end is closed now, which nobody needs to be told again.
    gate.wait_until_reached(steady_clock::now() + never);
    EXPECT_NO_THROW(gate.open());
}

TEST_F(SaveGateTest, DoesNotWaitBeyondItsDeadline) {
    const SaveGate gate;
    gate.wait_until_reached(steady_clock::now());
    gate.wait_until_reached(steady_clock::now() - never);
}

TEST_F(SaveGateTest, TurnsAwayWhoWaitsWhenItIsGivenUp) {
    auto gate = std::make_unique<SaveGate>();
    inherit(copy_of_helper_end(*gate));
    gate->close_helper_end();
    std::thread helper([&] {
        try {
            wait_at_save_gate(none_);
            ADD_FAILURE() << "let through";
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), std::errc::operation_canceled);
        }
    });
    gate->wait_until_reached(steady_clock::now() + never);
    gate.reset();
    helper.join();
}

TEST_F(SaveGateTest, IsNotNeeded) {
    EXPECT_NO_THROW(wait_at_save_gate(none_));
}

TEST_F(SaveGateTest, RefusesADescriptorThatIsNone) {
    for (const char* value : {"", "-1", "7x", "x", "99999999999999999999"}) {
        inherit(value);
        EXPECT_THROW(wait_at_save_gate(none_), Error) << value;
    }
    inherit("1000000");  // nothing is open there
    EXPECT_THROW(wait_at_save_gate(none_), Error);
}

}  // namespace
}  // namespace warmvm
