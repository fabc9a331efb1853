// SPDX-License-Identifier: GPL-2.0-only
// The one record of ours in a guest's image: it stands where PAGE_DATA would, and says which
// preserved set has the memory instead. Layout and golden bytes: docs/specs/guest-record.md.
#pragma once

#include "base/bytes.hpp"
#include "xen/types.hpp"

namespace warmvm {

struct GuestRecord {
    SetId set;
    DomId domid;  // that it had
    Uuid uuid;
    std::uint64_t frames{};
    // PV: pfns, read from start_info before the new start_info is written over it. HVM: gfns.
    std::uint64_t store_gfn{};
    std::uint64_t console_gfn{};
    std::uint64_t start_info_pfn{};  // PV, else 0
    // Time stamp counter: the guest was asked to suspend, had done so, its set was complete.
    std::uint64_t tsc_asked{}, tsc_suspended{}, tsc_preserved{};
    friend bool operator==(const GuestRecord&, const GuestRecord&) = default;
};

inline constexpr std::size_t guest_record_bytes = 104;

Bytes encode(const GuestRecord& record);
// Throws Error of stream_category.
GuestRecord decode_guest_record(ByteView body);

}  // namespace warmvm
