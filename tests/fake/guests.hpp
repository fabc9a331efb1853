// SPDX-License-Identifier: GPL-2.0-only
// Guests that look to the code under test like real ones.
#pragma once

#include "machine_state.hpp"

namespace fake {

// PVH: memory in two pieces, rings, a context.
Domain& add_pvh_guest(State& machine, const std::string& name);

// 64-bit PV: scattered frames, a page-table tree that maps its own p2m, two vcpus, a pinned L4 for
// the kernel and one for user space. The pfns of its parts:
struct PvLayout {
    static constexpr std::uint64_t start_info = 1;
    static constexpr std::uint64_t store = 2;
    static constexpr std::uint64_t console = 3;
    static constexpr std::uint64_t gdt = 4;
    static constexpr std::uint64_t l4 = 5;
    static constexpr std::uint64_t l3 = 6;
    static constexpr std::uint64_t l2 = 7;
    static constexpr std::uint64_t l1 = 8;
    static constexpr std::uint64_t p2m = 9;
    static constexpr std::uint64_t user_l4 = 10;
    static constexpr std::uint64_t first_data = 11;
    static constexpr std::uint64_t frames = 40;
    static constexpr std::uint64_t hole = 30;  // ballooned out
    static constexpr std::uint64_t p2m_address = 0xffffc90000000000;
};
Domain& add_pv_guest(State& machine, const std::string& name);

// The last thing it does itself: start_info gets pfns for mfns (Linux: xen_pv_pre_suspend).
void leave_pfns_in_start_info(State& machine, const Domain& domain);

}  // namespace fake
