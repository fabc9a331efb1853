// SPDX-License-Identifier: GPL-2.0-only
#include "guest/save_helper.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <span>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/version.hpp"

namespace warmvm {
namespace {

class NoHelper final : public SaveHelper {
    void save(const SaveRequest&, HelperConversation&, const HeldSave&) override { std::abort(); }
    void restore(const RestoreRequest&, HelperConversation&) override { std::abort(); }
};

struct Ended {
    int status{};
    std::string out, err;
};

Ended run(std::vector<std::string> words) {
    words.insert(words.begin(), "helper");
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    NoHelper helper;
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    Ended ended;
    ended.status = run_save_helper("helper", static_cast<int>(argv.size()), argv.data(), helper);
    ended.out = ::testing::internal::GetCapturedStdout();
    ended.err = ::testing::internal::GetCapturedStderr();
    return ended;
}

TEST(RunSaveHelper, SaysWhatItIsAndItsVersion) {
    EXPECT_EQ(run({"--version"}).out, "helper " + std::string(version()) + "\n");
    const auto help = run({"--help"});
    EXPECT_EQ(help.status, 0);
    EXPECT_NE(help.out.find("--restore-domain"), std::string::npos);
    EXPECT_EQ(help.err, "");
}

TEST(RunSaveHelper, SaysNothingToLibxlWhereItIsNotLibxlThatCalls) {
    for (const auto& words : std::vector<std::vector<std::string>>{{}, {"--no-such"}, {"web"}}) {
        const auto ended = run(words);
        EXPECT_EQ(ended.status, 2);
        EXPECT_EQ(ended.out, "");
        EXPECT_NE(ended.err, "");
    }
}

// Plays libxl and the starter to a helper that runs in a process of its own, as it does in life.
class SaveOutcome : public ::testing::Test {
  protected:
    // Suspends the guest, and then fails if it shall.
    class Saver final : public SaveHelper {
      public:
        explicit Saver(bool fails) : fails_(fails) {}
        void save(const SaveRequest&, HelperConversation& libxl, const HeldSave& gate) override {
            libxl.hold(gate);
            if (!libxl.suspend()) throw Error::of(std::errc::io_error, "no");
            if (fails_) throw Error::of(std::errc::timed_out, "later");
        }
        void restore(const RestoreRequest&, HelperConversation&) override { std::abort(); }

      private:
        bool fails_;
    };

    // replies: what libxl answers, in order; then it is gone.
    static std::optional<HelperOutcome> outcome(const std::vector<int>& replies, bool fails) {
        SaveGate gate;
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
        Fd libxl(ends[0]);
        Fd helper_end(ends[1]);
        const auto [variable, value] = gate.variable();
        const auto child = ::fork();
        if (child == 0) {
            ::setenv(variable.c_str(), value.c_str(), 1);
            ::dup2(helper_end.get(), STDIN_FILENO);
            ::dup2(helper_end.get(), STDOUT_FILENO);
            helper_end.reset();
            libxl.reset();
            std::vector<std::string> words{"helper", "--save-domain", "9", "-1", "7", "0", "8",
                                           "0"};
            std::vector<char*> argv;
            for (auto& word : words) argv.push_back(word.data());
            Saver saver(fails);
            ::_exit(run_save_helper("helper", static_cast<int>(argv.size()), argv.data(), saver));
        }
        gate.close_helper_end();
        helper_end.reset();
        gate.let_go();
        for (const int reply : replies) {
            write_exactly(libxl.get(), std::as_bytes(std::span(&reply, 1)), "reply");
        }
        ::shutdown(libxl.get(), SHUT_WR);
        int status = 0;
        EXPECT_EQ(::waitpid(child, &status, 0), child);
        return gate.outcome();
    }
};

TEST_F(SaveOutcome, IsDoneWhenTheGuestIsSaved) {
    EXPECT_EQ(outcome({1, 0}, false), HelperOutcome::done);
}

TEST_F(SaveOutcome, AGuestThatWasAskedAndHasNotSuspendedMayYetDoSo) {
    EXPECT_EQ(outcome({0, 0}, false), HelperOutcome::did_not_suspend);
    EXPECT_EQ(outcome({}, false), HelperOutcome::did_not_suspend) << "libxl went away meanwhile";
}

TEST_F(SaveOutcome, AFailureAfterItHasSuspendedIsAFailureWhateverItsCode) {
    EXPECT_EQ(outcome({1, 0}, true), HelperOutcome::failed);
}

}  // namespace
}  // namespace warmvm
