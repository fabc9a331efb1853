// SPDX-License-Identifier: GPL-2.0-only
// replication-trace as its user sees it.
#include "commands.hpp"

#include <unistd.h>

#include <filesystem>

#include "base/file.hpp"
#include "ended.hpp"
#include "man_page.hpp"
#include "process_tree.hpp"
#include "temporary_folder.hpp"
#include "trace/trace_file.hpp"

namespace replication::trace {
namespace {

class TraceCommands : public testing::Test {
  protected:
    static Ended run(const std::vector<std::string>& words) {
        return run_to_its_end(
            [](int argc, const char* const* argv) {
                return warmvm::run_commands("replication-trace",
                                            {{"record", record_command}, {"cost", cost_command}},
                                            argc, argv);
            },
            words);
    }
    std::string path(const std::string& name) const { return folder_.path() / name; }
    std::string content(const std::string& name) const {
        return warmvm::read_text_file(path(name));
    }
    // One page; so many epochs that write it.
    void write_trace(const std::string& name, unsigned epochs) const {
        TraceWriter writer(path(name));
        writer.first_image(Bytes(page_size, std::byte{7}));
        const std::uint32_t pfns[] = {0};
        for (unsigned i = 0; i < epochs; ++i) writer.epoch(pfns, Bytes(page_size, std::byte{9}));
        writer.close();
    }

  private:
    TemporaryFolder folder_;
};

TEST_F(TraceCommands, WrongUsageIsFoundBeforeAnythingIsOpened) {
    const std::string out = path("none") + "/out";
    const std::string pid = std::to_string(::getpid());
    struct Wrong {
        std::vector<std::string> words;
        std::string named;
    };
    for (const auto& [words, named] : std::vector<Wrong>{
             {{"record", "--pid", pid}, "--out"},
             {{"record", "--out", out}, "--pid"},
             {{"record", "--out", out, "--pid", pid, "--domain", "db"}, "--domain"},
             {{"record", "--out", out, "--domain", "db", "true"}, "command"},
             {{"record", "--out", out, "--pid", "0"}, "--pid '0': a whole number from 1"},
             {{"record", "--out", out, "--pid", "-1"}, "--pid '-1'"},
             {{"record", "--out", out, "--pid", pid, "--interval", "-5"},
              "--interval '-5': a whole number from 1 to 3600000"},
             {{"record", "--out", out, "--pid", pid, "--interval", "0"}, "--interval '0'"},
             {{"record", "--out", out, "--pid", pid, "--epochs", "0"}, "--epochs '0'"},
             {{"record", "--out", out, "--pid", pid, "--warm-up", "-1"}, "--warm-up '-1'"},
             {{"cost"}, "TRACE"},
             {{"cost", out, "b"}, "'b'"},
             {{"cost", out, "--json", out}, "--json"},
             {{"cost", out, "--interval", "150"}, "--interval '150': a multiple of"},
             {{"cost", out, "--interval", "100,0"}, "--interval '0'"},
             {{"cost", out, "--interval", ","}, "--interval ''"},
             {{"cost", out, "--recorded-interval", "0"}, "--recorded-interval '0'"},
             {{"cost", out, "--link", "100,-1"}, "--link '-1'"},
             {{"cost", out, "--round-trip", "-1"}, "--round-trip '-1'"}}) {
        expect_usage_error(run(words), named);
    }
}

TEST_F(TraceCommands, ARecordingThatCannotBeginLeavesWhatIsThere) {
    warmvm::replace_file(path("f"), warmvm::as_byte_view("precious"));
    const auto ended = run({"record", "--out", path("f"), "--pid", "4194304"});
    EXPECT_EQ(ended.status, 1);
    EXPECT_NE(ended.err.find("process 4194304"), std::string::npos) << ended.err;
    EXPECT_EQ(content("f"), "precious");
    EXPECT_EQ(run({"record", "--out", path("f"), "--", "/no/such/command"}).status, 1);
    EXPECT_EQ(content("f"), "precious");
}

TEST_F(TraceCommands, ARecordingEndsWithItsProcess) {
    const auto record = [&](const std::string& seconds) {
        return run({"record", "--out", path("f"), "--interval", "20", "--epochs", "100000", "--",
                    "sleep", seconds});
    };
    const auto ended = record("0.5");
    if (ended.err.find("not permitted") != std::string::npos ||
        ended.err.find("Linux 6.7") != std::string::npos) {
        GTEST_SKIP() << "this kernel or these rights do not allow it: " << ended.err;
    }
    EXPECT_EQ(ended.status, 0) << ended.err;
    EXPECT_NE(ended.err.find("the process has ended; the trace ends here"), std::string::npos)
        << ended.err;
    EXPECT_GE(TraceFile(path("f")).epochs().size(), 1u);
}

TEST_F(TraceCommands, AThreadOfTheKernelIsRefusedAtOnce) {
    constexpr pid_t kthreadd = 2;
    if (has_ended(kthreadd) || state_of(kthreadd) != 'S' ||
        std::filesystem::exists("/proc/" + std::to_string(kthreadd) + "/exe")) {
        GTEST_SKIP() << "no thread of the kernel is seen here";
    }
    const auto ended = run({"record", "--out", path("f"), "--pid", std::to_string(kthreadd)});
    EXPECT_EQ(ended.status, 1);
    EXPECT_NE(ended.err.find("thread of the kernel"), std::string::npos) << ended.err;
    EXPECT_TRUE(has_memory(::getpid()));
}

TEST_F(TraceCommands, CostPrintsNothingBeforeItHasLookedAtTheTrace) {
    warmvm::replace_file(path("figures"), warmvm::as_byte_view("precious"));
    write_trace("empty", 0);
    write_trace("short", 2);
    for (const std::string name : {"none", "figures", "empty"}) {
        const auto ended = run({"cost", path(name)});
        EXPECT_EQ(ended.status, 1) << name;
        EXPECT_EQ(ended.out, "") << name;
    }
    expect_usage_error(run({"cost", path("short"), "--interval", "100,300"}),
                       "--interval '300': " + path("short") + " is only 200 ms long");
    EXPECT_EQ(content("figures"), "precious");
    const auto ended = run({"cost", path("short"), "--json", path("figures")});
    EXPECT_EQ(ended.status, 0) << ended.err;
    EXPECT_EQ(content("figures").front(), '[');
}

TEST_F(TraceCommands, TheFiguresReplaceNoTraceHoweverItIsNamed) {
    write_trace("short", 2);
    const auto before = content("short");
    std::filesystem::create_symlink(path("short"), path("link"));
    for (const std::string name : {"./short", "link"}) {
        expect_usage_error(run({"cost", path("short"), "--json", path(name)}), "--json");
    }
    EXPECT_EQ(content("short"), before);
}

TEST_F(TraceCommands, TheManPageHasTheOptionsThatHelpHas) {
    auto helped = options_in(run({"record", "--help"}).out);
    helped.merge(options_in(run({"cost", "--help"}).out));
    EXPECT_EQ(helped, options_of_man_page("replication-trace.8"));
}

}  // namespace
}  // namespace replication::trace
