// SPDX-License-Identifier: GPL-2.0-only
#include "base/process.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

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

TEST(Process, SaysBeforeItIsWaitedForThatAProgramCannotBeRun) {
    const auto error_of = [](const std::string& program) {
        try {
            const Process process({{program}, {}, {}, false});
        } catch (const Error& error) {
            return error.code();
        }
        return std::error_code();
    };
    EXPECT_EQ(error_of("/no/such/program"), std::errc::no_such_file_or_directory);
    EXPECT_EQ(error_of("/dev/null"), std::errc::permission_denied);
}

TEST(Process, AGroupIsEndedAsAWhole) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const Fd read_end(ends[0]);
    Fd write_end(ends[1]);
    {
        ProcessRequest request{{"sh", "-c", "sleep 100 & echo; wait"}, {}, {}, false};
        request.keeps_streams = true;
        request.leads_group = true;
        const Fd stdout_before(::dup(STDOUT_FILENO));
        ::dup2(write_end.get(), STDOUT_FILENO);
        const Process process(request);
        ::dup2(stdout_before.get(), STDOUT_FILENO);
        write_end.reset();
        char newline = 0;
        ASSERT_EQ(::read(read_end.get(), &newline, 1), 1) << "its output is ours";
        EXPECT_EQ(::getpgid(process.pid()), process.pid());
    }
    char nothing = 0;
    EXPECT_EQ(::read(read_end.get(), &nothing, 1), 0) << "nobody has the other end any more";
}

}  // namespace
}  // namespace warmvm
