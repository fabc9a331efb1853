// SPDX-License-Identifier: GPL-2.0-only
// golden/record-v2.hex is a record of this version, octet for octet: what a hypervisor of today
// writes, the next ones must read. If a test here fails, the format has changed: it needs a new
// version number, and a golden file beside this one.
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <iomanip>
#include <map>
#include <sstream>

#include "read_record.hpp"

namespace record_test {
namespace {

constexpr const char* golden_file = "tests/unit/record/golden/record-v2.hex";
constexpr const char* older_golden_file = "tests/unit/record/golden/record-v1.hex";

using Image = std::map<std::uint64_t, Page>;
constexpr std::uint64_t crumb_at = 0xf0;

// Lines "mfn offset: octets"; what is not there is zero, and # begins a comment.
Image read_image(const char* path) {
    Image image;
    std::ifstream file(path);
    EXPECT_TRUE(file.is_open()) << path;
    for (std::string line; std::getline(file, line);) {
        std::istringstream in(line.substr(0, line.find('#')));
        std::uint64_t mfn = 0, offset = 0;
        unsigned octet = 0;
        char colon = 0;
        if (!(in >> std::hex >> mfn >> offset >> colon)) continue;
        while (in >> octet) image[mfn].bytes.at(offset++) = static_cast<std::uint8_t>(octet);
    }
    return image;
}

std::string to_text(const Image& image) {
    std::ostringstream out;
    out << std::hex << std::setfill('0');
    for (const auto& [mfn, page] : image) {
        for (std::size_t at = 0; at < PRESERVED_PAGE; at += 8) {
            const auto* octets = &page.bytes[at];
            if (std::all_of(octets, octets + 8, [](auto o) { return o == 0; })) continue;
            out << mfn << ' ' << std::setw(3) << at << ':';
            for (unsigned i = 0; i < 8; ++i) out << ' ' << std::setw(2) << unsigned{octets[i]};
            out << '\n';
        }
    }
    return out.str();
}

// All but the breadcrumb, which is not read by its address.
void load(FakeMemory& memory, const Image& image) {
    memory.add_ram(sample_ram);
    for (const auto& [mfn, page] : image) {
        if (mfn != crumb_at) memory.put(mfn) = page;
    }
}

TEST(Golden, TheSampleIsWrittenOctetForOctet) {
    FakeMemory memory(FakeMemory::Order::sequential);
    auto sets = sample_sets();
    Image image;
    auto crumb = write_record(sets, image[crumb_at]);
    for (const auto mfn : memory.mfns()) image[mfn] = *memory.find(mfn);
    const auto written = to_text(image);
    if (std::getenv("RECORD_GOLDEN")) std::ofstream(std::getenv("RECORD_GOLDEN")) << written;
    EXPECT_EQ(written, to_text(read_image(golden_file)));
    free_record(crumb, sets);
    EXPECT_EQ(memory.allocated(), 0u);
}

TEST(Golden, IsReadAsTheSample) {
    FakeMemory memory;
    auto image = read_image(golden_file);
    load(memory, image);
    const auto record = read_record(image[crumb_at]);
    ASSERT_TRUE(record.crumb);
    EXPECT_EQ(record.crumb->token, sample_token);
    EXPECT_EQ(record.crumb->generation, 3u);
    EXPECT_EQ(record.record_reason, 0);
    const auto sets = sample_sets();
    ASSERT_EQ(record.sets.size(), sets.size());
    for (std::size_t i = 0; i < sets.size(); ++i) {
        EXPECT_EQ(record.sets[i].reason, 0);
        EXPECT_EQ(record.sets[i].rec.id, sets[i].rec.id);
        EXPECT_EQ(record.sets[i].rec.domid, sets[i].rec.domid);
        EXPECT_EQ(record.sets[i].rec.type, sets[i].rec.type);
        EXPECT_EQ(std::memcmp(record.sets[i].rec.handle, sets[i].rec.handle, 16), 0);
        EXPECT_EQ(record.sets[i].blob, sets[i].blob);
        ASSERT_EQ(record.sets[i].runs.size(), sets[i].runs.size());
        EXPECT_EQ(std::memcmp(record.sets[i].runs.data(), sets[i].runs.data(),
                              sets[i].runs.size() * sizeof(preserved_run)),
                  0);
    }
}

// Another version's Xen must find every frame in this, whatever the rest looks like to it.
void must_keep_the_sample(const Page& crumb_page) {
    const auto record = read_record(crumb_page);
    EXPECT_EQ(record.record_reason, XEN_PRESERVED_REASON_VERSION);
    ASSERT_EQ(record.keep_reason, 0);
    std::vector<std::uint64_t> frames;
    for (const auto& set : sample_sets()) {
        for (const auto& run : set.runs) {
            for (std::uint64_t i = 0; i < run.count; ++i) frames.push_back(run.mfn + i);
        }
    }
    auto kept = record.kept;
    std::sort(frames.begin(), frames.end());
    std::sort(kept.begin(), kept.end());
    EXPECT_EQ(kept, frames);
}

TEST(Golden, ALaterVersionsKeepMapHasEveryFrame) {
    FakeMemory memory;
    auto image = read_image(golden_file);
    load(memory, image);
    image[crumb_at].bytes[offsetof(preserved_crumb, version)] = 99;
    reseal(image[crumb_at]);
    must_keep_the_sample(image[crumb_at]);
}

TEST(Golden, AnEarlierVersionsKeepMapHasEveryFrame) {
    FakeMemory memory;
    auto image = read_image(older_golden_file);
    load(memory, image);
    must_keep_the_sample(image[crumb_at]);
}

}  // namespace
}  // namespace record_test
