// SPDX-License-Identifier: GPL-2.0-only
#include "base/process.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/error.hpp"

namespace warmvm {
namespace {

ProcessResult shell(const std::string& script,
                    std::optional<std::chrono::milliseconds> timeout = std::nullopt) {
    return run_process({{"sh", "-c", script}, {{"GREETING", "hello"}}, timeout, false});
}

TEST(Process, ReportsStatusAndOutput) {
    const auto result = shell("echo $GREETING; echo oops >&2; exit 3");
    EXPECT_EQ(result.status, 3);
    EXPECT_FALSE(result.ok());
    EXPECT_EQ(result.output, "hello\noops\n");
    EXPECT_EQ(last_line(result.output), "oops");
}

TEST(Process, ReplacesWhatTheEnvironmentHas) {
    ::setenv("GREETING", "good morning", 1);
    EXPECT_EQ(shell("echo $GREETING").output, "hello\n");
}

TEST(Process, EndsWhatTakesTooLong) {
    const auto result = shell("exec sleep 100", std::chrono::milliseconds(50));
    EXPECT_TRUE(result.timed_out);
    EXPECT_FALSE(result.ok());
}

TEST(Process, DoesNotWaitForADaemonThatHoldsItsOutput) {
    const auto result = shell("sleep 100 & echo $!");
    EXPECT_TRUE(result.ok());
    shell("kill " + result.output);
}

TEST(Process, KeepsTheEndOfLongOutput) {
    const auto result = shell("yes | head -n 100000; echo end");
    EXPECT_EQ(last_line(result.output), "end");
    EXPECT_LE(result.output.size(), std::size_t{64} << 10);
}

TEST(Process, ThrowsForAProgramThatIsNotThere) {
    EXPECT_THROW(run_process({{"/no/such/program"}, {}, {}, false}), Error);
}

}  // namespace
}  // namespace warmvm
