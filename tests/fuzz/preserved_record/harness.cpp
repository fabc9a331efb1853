// SPDX-License-Identifier: GPL-2.0-only
#include "harness.hpp"

#include <algorithm>

#include "read_record.hpp"

namespace record_test {
namespace {

// A cyclic index makes a chain of any length out of a few pages: correct, but slow to fuzz.
constexpr std::uint64_t max_chain_bytes = std::uint64_t{16} * PRESERVED_PAGE;

void must(bool condition) {
    if (!condition) __builtin_trap();
}

// What was decoded packs again, into no more than it came from, and means the same.
void check_packs_again(const ReadSet& set) {
    FakeMemory other;
    auto chain = write_runs(set.runs);
    must(chain.bytes <= set.rec.extents.bytes);
    preserved_cursor cursor;
    preserved_run run;
    preserved_cursor_start(&cursor, &chain);
    for (const auto& expected : set.runs) {
        must(preserved_cursor_next(&cursor, &run) == 1);
        must(run.gfn == expected.gfn && run.mfn == expected.mfn);
        must(run.count == expected.count && run.pin == expected.pin);
    }
    must(preserved_cursor_next(&cursor, &run) == 0);
    preserved_chain_free(&chain);
    must(other.allocated() == 0 && other.bad_frees() == 0);
}

}  // namespace

void fuzz_record(const std::uint8_t* data, std::size_t size, bool sealed) {
    FakeMemory memory;
    Page crumb_page;
    memory.add_ram(sample_ram);
    for (std::uint64_t page = 1; page < nr_pages; ++page) memory.put(first_mfn + page);

    for (std::size_t at = 0; size - at > 4;) {
        const std::uint64_t page = data[at] % nr_pages;
        const std::size_t offset = (data[at + 1] + 256u * data[at + 2]) % PRESERVED_PAGE;
        const std::size_t length =
            std::min<std::size_t>({data[at + 3], size - at - 4, PRESERVED_PAGE - offset});
        auto& bytes = page ? memory.put(first_mfn + page).bytes : crumb_page.bytes;
        std::copy_n(data + at + 4, length, bytes.begin() + static_cast<long>(offset));
        at += 4 + length;
    }

    if (sealed) reseal(crumb_page, max_chain_bytes);
    const auto record = read_record(crumb_page, max_chain_bytes);
    if (!record.crumb || record.too_long) return;

    std::vector<bool> taken(max_page);
    for (const auto& set : record.sets) {
        if (set.reason) continue;
        for (const auto& run : set.runs) {
            must(memory.is_ram(run.mfn, run.count));
            for (std::uint64_t mfn = run.mfn; mfn < run.mfn + run.count; ++mfn) {
                must(!taken[mfn]);
                taken[mfn] = true;
            }
        }
        check_packs_again(set);
    }
    for (const auto mfn : record.kept) must(memory.is_ram(mfn, 1));
}

}  // namespace record_test
