// SPDX-License-Identifier: GPL-2.0-only
// HVM_PARAM_* of xen/include/public/hvm/params.h, as far as a guest's state is made of them
// (guest_context.cpp compares them with Xen's).
#pragma once

#include <cstdint>

namespace warmvm::hvm_param {

inline constexpr std::uint64_t store_pfn = 1;
inline constexpr std::uint64_t store_evtchn = 2;
inline constexpr std::uint64_t ioreq_pfn = 5;
inline constexpr std::uint64_t bufioreq_pfn = 6;
inline constexpr std::uint64_t viridian = 9;
inline constexpr std::uint64_t ident_pt = 12;
inline constexpr std::uint64_t console_pfn = 17;
inline constexpr std::uint64_t console_evtchn = 18;
inline constexpr std::uint64_t acpi_ioports_location = 19;
inline constexpr std::uint64_t paging_ring_pfn = 27;
inline constexpr std::uint64_t monitor_ring_pfn = 28;
inline constexpr std::uint64_t sharing_ring_pfn = 29;
inline constexpr std::uint64_t ioreq_server_pfn = 32;
inline constexpr std::uint64_t nr_ioreq_server_pages = 33;
inline constexpr std::uint64_t vm_generation_id_addr = 34;
inline constexpr std::uint64_t x87_fip_width = 36;
inline constexpr std::uint64_t vm86_tss_sized = 37;
inline constexpr std::uint64_t mca_cap = 38;

}  // namespace warmvm::hvm_param
