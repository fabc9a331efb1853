// SPDX-License-Identifier: GPL-2.0-only
#include "trace_file.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "pages.hpp"

namespace replication::trace {
namespace {

using codec::page_size;

class TraceFiles : public testing::Test {
  protected:
    void SetUp() override { std::filesystem::create_directories(folder_); }
    void TearDown() override { std::filesystem::remove_all(folder_); }
    std::string path() const { return folder_ / "a.trace"; }

    // Three pages at the start; epochs write pages 1 and 4, then none.
    void write() const {
        TraceWriter writer(path());
        writer.first_image(std::vector<std::uint8_t>(3 * page_size, 7));
        const std::uint32_t pfns[] = {1, 4};
        writer.epoch(pfns, std::vector<std::uint8_t>(2 * page_size, 9));
        writer.epoch({}, {});
        writer.close();
    }

  private:
    std::filesystem::path folder_ = std::filesystem::path(testing::TempDir()) / "trace_file_test";
};

TEST_F(TraceFiles, WhatIsWrittenIsRead) {
    write();
    const TraceFile trace(path());
    ASSERT_EQ(trace.guest_pages(), 5u);
    EXPECT_EQ(trace.first_image(2)[page_size - 1], 7);
    // Pages that only an epoch names start as zeros.
    EXPECT_EQ(trace.first_image(3)[0], 0);
    EXPECT_EQ(trace.first_image(4)[page_size - 1], 0);
    ASSERT_EQ(trace.epochs().size(), 2u);
    EXPECT_EQ(trace.epochs()[0].pfns[1], 4u);
    EXPECT_EQ(trace.epochs()[0].data[2 * page_size - 1], 9);
    EXPECT_TRUE(trace.epochs()[1].pfns.empty());
}

TEST_F(TraceFiles, CutAnywhereItIsRefused) {
    write();
    std::ifstream file(path(), std::ios::binary);
    const std::vector<char> whole{std::istreambuf_iterator<char>(file), {}};
    for (std::size_t size = 0; size < whole.size(); size += 509) {
        std::ofstream(path(), std::ios::binary)
            .write(whole.data(), static_cast<std::streamsize>(size));
        EXPECT_THROW(TraceFile trace(path()), std::runtime_error) << size;
    }
}

}  // namespace
}  // namespace replication::trace
