// SPDX-License-Identifier: GPL-2.0-only
// The short cut is taken only past scripts that are byte for byte the known ones.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.hpp"
#include "hotplug/scripts.hpp"
#include "temporary_folder.hpp"

namespace roothammer::hotplug {
namespace {

class ScriptsTest : public ::testing::Test {
  protected:
    ScriptsTest() {
        put("block", "hello\n");
        put("common.sh", "");
    }
    void put(const std::string& name, const std::string& text) {
        warmvm::replace_file(folder_ / name, warmvm::as_byte_view(text));
    }
    [[nodiscard]] std::optional<std::string> changed() const {
        return changed_script(folder_ / "block", list_);
    }

    TemporaryFolder temporary_;
    const std::filesystem::path& folder_ = temporary_.path();
    // As xxhsum -H2 prints them.
    std::string list_ =
        "6bba86c7e069f56d5a10b435f1c8e49c  block\n99aa06d3014798d86001c324468d497f  common.sh\n";
};

TEST_F(ScriptsTest, KnownScriptsAreKnown) {
    EXPECT_EQ(changed(), std::nullopt);
}

TEST_F(ScriptsTest, AChangeOfOneByteCounts) {
    put("block", "Hello\n");
    EXPECT_NE(changed(), std::nullopt);
    put("block", "hello\n");
    put("common.sh", "\n");
    EXPECT_NE(changed(), std::nullopt);
    std::filesystem::remove(folder_ / "common.sh");
    EXPECT_NE(changed(), std::nullopt);
}

TEST_F(ScriptsTest, AScriptThatIsNotListedIsNotKnown) {
    EXPECT_NE(changed_script(folder_ / "vif-bridge", list_), std::nullopt);
    EXPECT_NE(changed_script(folder_ / "block", ""), std::nullopt);
    EXPECT_NE(changed_script(folder_ / "block", "rubbish"), std::nullopt);
}

TEST_F(ScriptsTest, HooksAreTheScriptsToRun) {
    std::filesystem::create_directory(folder_ / "vif-post.d");
    EXPECT_EQ(changed(), std::nullopt);
    put("vif-post.d/10-mine.hook", "");
    EXPECT_NE(changed(), std::nullopt);
}

}  // namespace
}  // namespace roothammer::hotplug
