// SPDX-License-Identifier: GPL-2.0-only
// A preserved guest as an ordinary save file: what `xl save` would have written, accepted by Xen's
// verify-stream-v2 and by stock `xl restore`. The guest's own record goes, its memory takes the
// place; a PV guest's page tables are given pfns for mfns on the way (xg_sr_save_x86_pv.c:
// normalise_pagetable), which needs the type of every page.
#pragma once

#include <functional>
#include <map>

#include "guest/save_file.hpp"
#include "xen/frame_map.hpp"
#include "xen/preserved_memory.hpp"

namespace warmvm {

// A page that is a page table has a level, 1..4, and the guest may have pinned it.
struct TableType {
    std::uint32_t level{};
    bool pinned = false;
    friend bool operator==(const TableType&, const TableType&) = default;
};
using TableTypes = std::map<Pfn, TableType>;

// The record of pinned tables holds only roots: every table below them is found by walking. Throws
// Error (bad_value) for an entry that points outside the guest, for a superpage, and for a page
// that is a table of two levels.
TableTypes find_page_tables(const FrameMap& frames, const std::function<Page(Mfn)>& read);

// pfns for mfns, and Xen's own entries of an L4 cleared. Throws like find_page_tables.
void normalise_page_table(Page& table, std::uint32_t level, const FrameMap& frames);

// Calls write with the file piece by piece. The set must be inherited. Throws Error; what was
// written by then is no save file.
void write_rescued(PreservedMemory& preserved, SetId set, const SaveFile& file,
                   const std::function<void(ByteView)>& write);

}  // namespace warmvm
