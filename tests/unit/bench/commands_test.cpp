// SPDX-License-Identifier: GPL-2.0-only
// bench-codec as far as it goes without a trace.
#include "commands.hpp"

#include "ended.hpp"
#include "temporary_folder.hpp"

namespace replication::bench {
namespace {

Ended run(const std::vector<std::string>& words) {
    return run_to_its_end(
        [](int argc, const char* const* argv) {
            return warmvm::run_commands(
                "bench-codec", {{"replay", replay_command}, {"similarity", similarity_command}},
                argc, argv);
        },
        words);
}

TEST(BenchCommands, WrongUsageIsFoundBeforeATraceIsRead) {
    expect_usage_error(run({"replay"}), "TRACE");
    expect_usage_error(run({"similarity"}), "TRACE");
    expect_usage_error(run({"replay", "/none", "--only", "gzip"}), "--only 'gzip'");
    expect_usage_error(run({"replay", "/none", "--rounds", "0"}), "--rounds '0'");
    for (const std::string command : {"replay", "similarity"}) {
        expect_usage_error(run({command, "/none", "--epochs", "0"}), "--epochs '0'");
    }
}

TEST(BenchCommands, NothingIsPrintedBeforeEveryTraceHasBeenRead) {
    const TemporaryFolder folder;
    trace::TraceWriter writer(folder.path() / "a.trace");
    writer.first_image(Bytes(page_size, std::byte{7}));
    const std::uint32_t pfns[] = {0};
    writer.epoch(pfns, Bytes(page_size, std::byte{9}));
    writer.close();
    for (const std::string command : {"replay", "similarity"}) {
        const auto ended = run({command, folder.path() / "a.trace", folder.path() / "none"});
        EXPECT_EQ(ended.status, 1);
        EXPECT_EQ(ended.out, "");
        EXPECT_NE(ended.err.find("none: No such file"), std::string::npos) << ended.err;
    }
}

}  // namespace
}  // namespace replication::bench
