// SPDX-License-Identifier: GPL-2.0-only
#include "trace/trace_file.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "base/file.hpp"
#include "pages.hpp"

namespace replication::trace {
namespace {

class TraceFiles : public testing::Test {
  protected:
    void SetUp() override { std::filesystem::create_directories(folder_); }
    void TearDown() override { std::filesystem::remove_all(folder_); }
    std::string path() const { return folder_ / "a.trace"; }

    // Three pages at the start; epochs write pages 1 and 4, then none.
    void write() const {
        TraceWriter writer(path());
        writer.first_image(Bytes(3 * page_size, std::byte{7}));
        const std::uint32_t pfns[] = {1, 4};
        writer.epoch(pfns, Bytes(2 * page_size, std::byte{9}));
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
    EXPECT_EQ(trace.first_image(2)[page_size - 1], std::byte{7});
    // Pages that only an epoch names start as zeros.
    EXPECT_EQ(trace.first_image(3)[0], std::byte{0});
    EXPECT_EQ(trace.first_image(4)[page_size - 1], std::byte{0});
    ASSERT_EQ(trace.epochs().size(), 2u);
    EXPECT_EQ(trace.epochs()[0].pfns[1], 4u);
    EXPECT_EQ(trace.epochs()[0].data[2 * page_size - 1], std::byte{9});
    EXPECT_TRUE(trace.epochs()[1].pfns.empty());
}

// A PVH guest's: a few pages of memory among numbers that reach to 4 GiB.
TEST_F(TraceFiles, WhatIsNoMemoryIsAHole) {
    constexpr std::uint32_t far = 0xfeff8;
    {
        TraceWriter writer(path());
        writer.guest_pages(far + 8);
        writer.first_image(Bytes(2 * page_size, std::byte{7}), far);
        writer.first_image(Bytes(page_size, std::byte{8}), 100);
        writer.first_image(Bytes(page_size, std::byte{9}), far + 1);
        const std::uint32_t pfns[] = {5};
        writer.epoch(pfns, Bytes(page_size, std::byte{6}));
        writer.close();
    }
    const TraceFile trace(path());
    ASSERT_EQ(trace.guest_pages(), far + 8);
    EXPECT_EQ(trace.first_image(100)[0], std::byte{8});
    EXPECT_EQ(trace.first_image(far)[page_size - 1], std::byte{7});
    EXPECT_EQ(trace.first_image(far + 1)[0], std::byte{9});
    EXPECT_EQ(trace.epochs()[0].data[0], std::byte{6});
    std::uint32_t next = 0;
    std::uint64_t pages = 0;
    for (const TraceFile::Run& run : trace.first_image_runs()) {
        EXPECT_GE(run.first, next);
        next = run.first + run.pages;
        pages += run.pages;
    }
    EXPECT_LE(next, trace.guest_pages());
    for (const std::uint32_t pfn : {100u, far, far + 1}) {
        const auto has = [&](const TraceFile::Run& run) {
            return run.first <= pfn && pfn < run.first + run.pages;
        };
        EXPECT_TRUE(std::ranges::any_of(trace.first_image_runs(), has)) << pfn;
    }
    // Unless the file system keeps no holes.
    EXPECT_TRUE(pages < 1000 || pages == trace.guest_pages()) << pages;
}

TEST_F(TraceFiles, AWriterThatIsNotClosedLeavesWhatWasThere) {
    write();
    TraceWriter(path()).first_image(Bytes(page_size, std::byte{1}));
    EXPECT_EQ(TraceFile(path()).epochs().size(), 2u);
}

TEST_F(TraceFiles, CutAnywhereItIsRefused) {
    write();
    const Bytes whole = warmvm::read_file(path(), std::size_t{1} << 20);
    for (std::size_t size = 0; size < whole.size(); size += 509) {
        warmvm::replace_file(path(), ByteView(whole).first(size), 0600);
        EXPECT_THROW(TraceFile trace(path()), warmvm::Error) << size;
    }
}

}  // namespace
}  // namespace replication::trace
