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

TEST_F(FileTest, AnOutputFileTakesItsPlaceOnlyWhenItIsFinished) {
    const auto path = folder_ / "f";
    replace_file(path, as_byte_view("before"));
    {
        const OutputFile abandoned(path);
        write_exactly(abandoned.get(), as_byte_view("half"), "f");
        EXPECT_EQ(read_text_file(path), "before");
    }
    EXPECT_EQ(read_text_file(path), "before");
    OutputFile file(path);
    write_exactly(file.get(), as_byte_view("after"), "f");
    file.finish();
    EXPECT_EQ(read_text_file(path), "after");
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(FileTest, AnOutputFileLeavesLinksDevicesAndFoldersWhatTheyAre) {
    const auto link = folder_ / "link";
    replace_file(folder_ / "f", as_byte_view("before"));
    std::filesystem::create_symlink("f", link);
    OutputFile file(link);
    write_exactly(file.get(), as_byte_view("after"), "link");
    file.finish();
    EXPECT_TRUE(std::filesystem::is_symlink(link));
    EXPECT_EQ(read_text_file(folder_ / "f"), "after");

    OutputFile device("/dev/null");
    write_exactly(device.get(), as_byte_view("lost"), "null");
    device.finish();
    EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
    EXPECT_THROW(OutputFile{folder_}, Error);
    EXPECT_THROW(OutputFile{folder_ / "none" / "f"}, Error);
}

}  // namespace
}  // namespace warmvm
