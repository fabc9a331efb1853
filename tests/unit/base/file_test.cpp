// SPDX-License-Identifier: GPL-2.0-only
#include "base/file.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/error.hpp"
#include "temporary_folder.hpp"

namespace warmvm {
namespace {

class FileTest : public ::testing::Test {
  protected:
    TemporaryFolder temporary_;
    const std::filesystem::path& folder_ = temporary_.path();
};

TEST_F(FileTest, ReplacesTheWholeContent) {
    replace_file(folder_ / "f", as_byte_view("long before"));
    replace_file(folder_ / "f", as_byte_view("now"));
    EXPECT_EQ(read_text_file(folder_ / "f"), "now");
}

TEST_F(FileTest, AFailedReplacementLeavesNothing) {
    // A folder cannot be replaced by a file, which shows only at the last step.
    std::filesystem::create_directories(folder_ / "f" / "inside");
    EXPECT_THROW(replace_file(folder_ / "f", as_byte_view("now")), Error);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "f.new"));
    EXPECT_TRUE(std::filesystem::is_directory(folder_ / "f" / "inside"));
}

}  // namespace
}  // namespace warmvm
