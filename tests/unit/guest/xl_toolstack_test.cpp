// SPDX-License-Identifier: GPL-2.0-only
// The operator's xl, played by a script: what it is asked for, and what becomes of its answers.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <thread>
#include <vector>

#include "base/file.hpp"
#include "guest/toolstack.hpp"
#include "temporary_folder.hpp"

namespace warmvm {
namespace {

class XlToolstackTest : public ::testing::Test {
  protected:
    XlToolstackTest() {
        path_ = ::getenv("PATH");
        ::setenv("PATH", (folder_.string() + ":" + path_).c_str(), 1);
        xl_does("");
    }
    ~XlToolstackTest() override { ::setenv("PATH", path_.c_str(), 1); }
    void xl_does(const std::string& script) {
        constexpr mode_t executable = 0755;
        const auto text = "#!/bin/sh\necho \"$LIBXL_SAVE_HELPER$BASH_ENV: $*\" > " +
                          (folder_ / "asked").string() + "\n" + script + "\n";
        replace_file(folder_ / "xl", as_byte_view(text), executable);
    }
    // The save helper, played by a shell that can use descriptors of two digits: what it does
    // before it is held and once it is let go.
    static std::string helper(const std::string& before, const std::string& after) {
        return "exec bash -c '" + before + "\nprintf . >&$WARMVM_SAVE_GATE\nhead -c 1 " +
               "<&$WARMVM_SAVE_GATE > /dev/null; " + after + "'";
    }
    [[nodiscard]] std::string asked() const { return read_text_file(folder_ / "asked"); }

    TemporaryFolder temporary_;
    const std::filesystem::path& folder_ = temporary_.path();
    std::string path_;
    std::unique_ptr<Toolstack> xl_ = open_xl("/the/helper");
    static constexpr std::chrono::seconds patience{20};
    static constexpr std::chrono::milliseconds impatience{50};
};

TEST_F(XlToolstackTest, AsksInXlsWordsWithOurHelper) {
    EXPECT_TRUE(xl_->start_save(DomId(7), "/run/x.save", patience)->result().ok());
    EXPECT_EQ(asked(), "/the/helper: save -p 7 /run/x.save\n");
    EXPECT_TRUE(xl_->restore("/run/x.save").ok());
    EXPECT_EQ(asked(), "/the/helper/the/stock-scripts.bash: restore -p /run/x.save\n");
    EXPECT_TRUE(xl_->shutdown(DomId(7), patience).ok());
    EXPECT_EQ(asked(), "/the/helper: shutdown -ww 7\n");
    EXPECT_TRUE(xl_->destroy(DomId(7)).ok());
    EXPECT_EQ(asked(), "/the/helper: destroy 7\n");
}

TEST_F(XlToolstackTest, EndsWhatTakesLongerThanItsTime) {
    xl_does("exec sleep 100");
    EXPECT_EQ(xl_->start_save(DomId(7), "/f", impatience)->result().outcome,
              ToolstackOutcome::timed_out);
    EXPECT_EQ(xl_->shutdown(DomId(7), impatience).outcome, ToolstackOutcome::timed_out);
}

TEST_F(XlToolstackTest, SaysWhichOfSeveralSavesHasEndedOrIsOutOfTime) {
    xl_does("case $3 in 1) exec sleep 100;; 2) exit 1;; esac");
    const auto slow = xl_->start_save(DomId(1), "/f", patience);
    const auto quick = xl_->start_save(DomId(2), "/f", patience);
    EXPECT_EQ(xl_->first_ended(std::vector{slow.get(), quick.get()}), 1u);
    EXPECT_EQ(quick->result().outcome, ToolstackOutcome::failed);
    const auto hasty = xl_->start_save(DomId(1), "/f", impatience);
    EXPECT_EQ(xl_->first_ended(std::vector{slow.get(), hasty.get()}), 1u);
    EXPECT_EQ(hasty->result().outcome, ToolstackOutcome::timed_out);
}

TEST_F(XlToolstackTest, HoldsASaveUntilItIsLetGo) {
    const auto touch = [&](const char* name) { return "touch " + (folder_ / name).string(); };
    xl_does(helper(touch("held"), touch("through")));
    const auto save = xl_->start_save(DomId(1), "/f", patience);
    save->wait_until_held();
    EXPECT_TRUE(std::filesystem::exists(folder_ / "held"));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "through"));
    save->let_go();
    EXPECT_TRUE(save->result().ok());
    EXPECT_TRUE(std::filesystem::exists(folder_ / "through"));
}

TEST_F(XlToolstackTest, DoesNotWaitForASaveThatEndsBeforeItIsHeld) {
    xl_does("echo no; exit 1");
    const auto save = xl_->start_save(DomId(1), "/f", patience);
    save->wait_until_held();
    save->let_go();
    EXPECT_EQ(save->result().message, "no");
}

TEST_F(XlToolstackTest, EndsASaveThatIsGivenUp) {
    const auto told = folder_ / "told";
    xl_does("trap 'touch " + told.string() + "; exit 1' TERM; touch " +
            (folder_ / "ready").string() + "; while :; do sleep 0.01; done");
    {
        const auto save = xl_->start_save(DomId(1), "/f", patience);
        for (int i = 0; i < 2000 && !std::filesystem::exists(folder_ / "ready"); ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        ASSERT_TRUE(std::filesystem::exists(folder_ / "ready"));
    }
    EXPECT_TRUE(std::filesystem::exists(told));
}

TEST_F(XlToolstackTest, AGuestThatLibxlGaveUpOnMayYetSuspend) {
    xl_does(helper("", "printf s >&$WARMVM_SAVE_GATE; exit 1"));
    const auto save = xl_->start_save(DomId(7), "/f", patience);
    save->let_go();
    EXPECT_EQ(save->result().outcome, ToolstackOutcome::timed_out);
}

TEST_F(XlToolstackTest, AGuestWhoseXlOrHelperWasKilledMayYetSuspend) {
    xl_does("kill -9 $$");
    EXPECT_EQ(xl_->start_save(DomId(7), "/f", patience)->result().outcome, ToolstackOutcome::died);
    xl_does(helper("", "exit 3"));
    const auto save = xl_->start_save(DomId(7), "/f", patience);
    save->let_go();
    EXPECT_EQ(save->result().outcome, ToolstackOutcome::died);
}

TEST_F(XlToolstackTest, AHelperThatSaysWhyItFailedHasNotDied) {
    for (const auto* word : {"f", "d"}) {
        xl_does(helper("", "printf " + std::string(word) + " >&$WARMVM_SAVE_GATE; exit 1"));
        const auto save = xl_->start_save(DomId(7), "/f", patience);
        save->let_go();
        EXPECT_EQ(save->result().outcome, ToolstackOutcome::failed) << word;
    }
}

TEST_F(XlToolstackTest, TellsTheFirstCauseAndTheHelpersBeforeLibxls) {
    xl_does(
        "echo 'libxl: error: a.c:1: the first'; echo 'libxl: error: b.c:2: what follows'\n"
        "exit 3");
    auto result = xl_->restore("/f");
    EXPECT_EQ(result.outcome, ToolstackOutcome::failed);
    EXPECT_EQ(result.message, "a.c:1: the first");
    xl_does(
        "echo 'libxl: error: a.c:1: it ended'\n"
        "echo 'xc: warmvm-save-helper: error: set 3 is adopted' >&2; exit 3");
    EXPECT_EQ(xl_->restore("/f").message, "set 3 is adopted");
    xl_does("echo Restoring; echo failed to open; exit 2");
    EXPECT_EQ(xl_->restore("/f").message, "failed to open");
}

}  // namespace
}  // namespace warmvm
