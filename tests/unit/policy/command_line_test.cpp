// SPDX-License-Identifier: GPL-2.0-only
// `roothammer policy` as far as it goes without touching the host.
#include "policy/command_line.hpp"

#include "base/file.hpp"
#include "ended.hpp"
#include "man_page.hpp"
#include "temporary_folder.hpp"

namespace roothammer::policy {
namespace {

Ended policy(const std::vector<std::string>& words) {
    return run_to_its_end(run_policy, words);
}

TEST(PolicyCommandLine, OptionsThatDoNothingTogetherAreRefused) {
    expect_usage_error(policy({"word"}), "'word'");
    expect_usage_error(policy({"--no-such"}), "'--no-such'");
    expect_usage_error(policy({"--explain", "--json"}), "--json");
    for (const std::string option : {"--dry-run", "--explain", "--json"}) {
        expect_usage_error(policy({"--reset", option}), option);
    }
    expect_usage_error(policy({"--reset", "--config", "f"}), "--config");
}

TEST(PolicyCommandLine, AConfigurationThatIsMissingOrWrongEndsWith2) {
    const TemporaryFolder folder;
    const auto file = folder.path() / "policy.conf";
    auto ended = policy({"--dry-run", "--config", file});
    EXPECT_EQ(ended.status, 2);
    EXPECT_NE(ended.err.find(file.string() + ": No such file"), std::string::npos) << ended.err;
    EXPECT_NE(ended.err.find("--config names another"), std::string::npos) << ended.err;
    warmvm::replace_file(file, warmvm::as_byte_view("\nhope = 1\n"));
    ended = policy({"--dry-run", "--config", file});
    EXPECT_EQ(ended.status, 2);
    EXPECT_NE(ended.err.find(file.string() + ":2: "), std::string::npos) << ended.err;
}

TEST(PolicyCommandLine, TheManPageHasTheOptionsThatHelpHas) {
    EXPECT_EQ(options_in(policy({"--help"}).out), options_of_man_page("roothammer-policy.8"));
}

}  // namespace
}  // namespace roothammer::policy
