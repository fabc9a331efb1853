// SPDX-License-Identifier: GPL-2.0-only
// Reading a whole record in the order of boot.c: crumb, table, every set, and the keep map. What
// boot.c marks in the frame table is marked in an array here.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "fake_memory.hpp"

namespace record_test {

struct ReadSet {
    preserved_set_rec rec;
    int reason;           // XEN_PRESERVED_REASON_*; 0: the rest is there
    std::uint64_t where;  // of the reason
    std::vector<preserved_run> runs;
    std::vector<std::uint8_t> blob;
};

struct ReadRecord {
    std::optional<preserved_crumb> crumb;  // none: no copy is sound, and nothing else is read
    int record_reason = 0;
    std::vector<ReadSet> sets;
    std::optional<int> keep_reason;   // none: the keep map was not needed
    std::vector<std::uint64_t> kept;  // frames of the keep map that are RAM, whoever else has them
    bool too_long = false;            // a chain beyond max_chain_bytes: reading stopped there
};

inline constexpr std::uint64_t max_page = 0x10000;  // frames of this machine

// Aborts if a readable set's totals, frames or pages are not what was promised.
ReadRecord read_record(const Page& crumb_page, std::uint64_t max_chain_bytes = PRESERVED_CHAIN_MAX);

// Makes every checksum right that covers something readable, innermost first.
void reseal(Page& crumb_page, std::uint64_t max_chain_bytes = PRESERVED_CHAIN_MAX);

// What a set consists of, to be written.
struct SetToWrite {
    preserved_set_rec rec;  // all but totals and chains
    std::vector<preserved_run> runs;
    std::vector<std::uint8_t> blob;
};

// Two guests, PVH and PV, with pins, a fragmented part and frames in two keep pages.
std::vector<SetToWrite> sample_sets();
inline constexpr MfnRange sample_ram{0x1000, 0x8000};
inline constexpr std::uint64_t sample_token = 0x0123456789abcdef;

// As freeze.c and handover.c do it. The chains belong to the memory that is current.
preserved_crumb write_record(std::vector<SetToWrite>& sets, Page& crumb_page);
// Frees what write_record() took.
void free_record(preserved_crumb& crumb, std::vector<SetToWrite>& sets);

preserved_chain write_bytes(const std::vector<std::uint8_t>& bytes);
std::vector<std::uint8_t> read_bytes(const preserved_chain& chain);
preserved_chain write_runs(const std::vector<preserved_run>& runs);

}  // namespace record_test
