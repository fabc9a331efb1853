// SPDX-License-Identifier: GPL-2.0-only
#include "guest/save_helper.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace warmvm
