// SPDX-License-Identifier: GPL-2.0-only
#include "guest/save_gate.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "base/error.hpp"

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

TEST_F(SaveGateTest, LetsGoWhoIsHeld) {
    SaveGate gate;
    inherit(copy_of_helper_end(gate));
    gate.close_helper_end();
    std::thread helper([&] {
        const HeldSave held;
        EXPECT_NO_THROW(held.hold(none_));
    });
    gate.wait_until_held(steady_clock::now() + never);
    gate.let_go();
    helper.join();
    // The helper's end is closed now, which nobody needs to be told again.
    gate.wait_until_held(steady_clock::now() + never);
    EXPECT_NO_THROW(gate.let_go());
}

TEST_F(SaveGateTest, DoesNotWaitBeyondItsDeadline) {
    const SaveGate gate;
    gate.wait_until_held(steady_clock::now());
    gate.wait_until_held(steady_clock::now() - never);
}

TEST_F(SaveGateTest, TurnsAwayWhoIsHeldWhenTheSaveIsGivenUp) {
    auto gate = std::make_unique<SaveGate>();
    inherit(copy_of_helper_end(*gate));
    gate->close_helper_end();
    std::thread helper([&] {
        const HeldSave held;
        try {
            held.hold(none_);
            ADD_FAILURE() << "let go";
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), std::errc::operation_canceled);
        }
    });
    gate->wait_until_held(steady_clock::now() + never);
    gate.reset();
    helper.join();
}

TEST_F(SaveGateTest, HearsWhatBecameOfTheSave) {
    for (const auto outcome :
         {HelperOutcome::done, HelperOutcome::did_not_suspend, HelperOutcome::failed}) {
        SaveGate gate;
        inherit(copy_of_helper_end(gate));
        gate.close_helper_end();
        gate.let_go();
        {
            const HeldSave held;
            held.hold(none_);
            held.end(outcome);
        }
        EXPECT_EQ(gate.outcome(), outcome);
        EXPECT_FALSE(gate.has_died());
    }
}

TEST_F(SaveGateTest, ASilentEndAfterTheGuestWasAskedIsADeath) {
    SaveGate gate;
    inherit(copy_of_helper_end(gate));
    gate.close_helper_end();
    { const HeldSave never_held; }
    gate.let_go();
    EXPECT_FALSE(gate.has_died()) << "it was never held, so it has asked nothing";
    EXPECT_EQ(gate.outcome(), std::nullopt);

    SaveGate other;
    inherit(copy_of_helper_end(other));
    other.close_helper_end();
    other.let_go();
    {
        const HeldSave held;
        held.hold(none_);
    }
    EXPECT_TRUE(other.has_died());
}

TEST_F(SaveGateTest, AGateIsNotNeeded) {
    const HeldSave held;
    EXPECT_NO_THROW(held.hold(none_));
    held.end(HelperOutcome::done);
}

TEST_F(SaveGateTest, RefusesADescriptorThatIsNone) {
    for (const char* value : {"", "-1", "7x", "x", "99999999999999999999"}) {
        inherit(value);
        EXPECT_THROW(HeldSave(), Error) << value;
    }
    inherit("1000000");  // nothing is open there
    const HeldSave held;
    EXPECT_THROW(held.hold(none_), Error);
}

}  // namespace
}  // namespace warmvm
