// SPDX-License-Identifier: GPL-2.0-only
// make_seeds DIR: writes the inputs that fuzzing starts from; those in the tree are its output.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "harness.hpp"
#include "read_record.hpp"

using namespace record_test;

namespace {

std::string pieces(std::uint64_t page, const Page& content) {
    std::string out;
    for (std::size_t at = 0; at < PRESERVED_PAGE;) {
        if (!content.bytes[at]) {
            ++at;
            continue;
        }
        // Up to a gap that costs more than a new piece's header.
        std::size_t end = at + 1;
        for (std::size_t i = end; i < PRESERVED_PAGE && i < at + 255 && i - end < 5; ++i) {
            if (content.bytes[i]) end = i + 1;
        }
        for (const auto octet : {page, at & 0xff, at >> 8, end - at}) {
            out.push_back(static_cast<char>(octet));
        }
        for (; at < end; ++at) out.push_back(static_cast<char>(content.bytes[at]));
    }
    return out;
}

void save(const std::string& path, std::vector<SetToWrite> sets, std::uint32_t flags = 0) {
    FakeMemory memory(FakeMemory::Order::sequential);
    std::uint64_t mfn = 0;
    memory.allocate(&mfn);  // the breadcrumb's page has the first mfn
    Page page;
    auto crumb = write_record(sets, page);
    crumb.flags = flags;
    preserved_crumb_seal(&crumb, page.bytes.data());

    std::string out = pieces(0, page);
    for (const auto m : memory.mfns()) {
        if (m != mfn) out += pieces(m - first_mfn, *memory.find(m));
    }
    std::ofstream(path, std::ios::binary) << out;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s DIR\n", argv[0]);
        return 2;
    }
    const std::string dir = argv[1];
    std::filesystem::create_directories(dir);

    save(dir + "/empty", {});
    auto sets = sample_sets();
    save(dir + "/two-sets", sets);
    save(dir + "/orphans", sets, PRESERVED_CRUMB_ORPHANS);
    sets[0].rec.flags = PRESERVED_REC_UNREADABLE;
    sets[0].rec.reason = XEN_PRESERVED_REASON_CHECKSUM;
    save(dir + "/unreadable", sets);
    sets = sample_sets();
    sets[1].runs.push_back(sets[1].runs[0]);
    save(dir + "/overlap", sets);
    // Extents on two pages.
    sets = sample_sets();
    sets.resize(1);
    sets[0].runs.clear();
    for (std::uint64_t i = 0; i < 1100; ++i) {
        sets[0].runs.push_back({i, sample_ram.first + (i * 13) % 8000, 1, 0});
    }
    save(dir + "/scattered", sets);
    return 0;
}
