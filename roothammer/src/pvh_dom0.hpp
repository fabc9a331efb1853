// SPDX-License-Identifier: GPL-2.0-only
// What a PVH dom0 (dom0=pvh on Xen's command line) needs beyond what a PV one does.
#pragma once

#include <cstdint>
#include <string>

namespace roothammer {

// Which of the two Xen will build (xen/arch/x86/dom0_build.c: parse_dom0_param; the last word
// holds).
bool asks_for_pvh_dom0(const std::string& xen_commandline);

// iommu=off and its like; without an IOMMU Xen panics over a PVH dom0 (drivers/passthrough/iommu.c:
// check_hwdom_reqs).
bool switches_iommu_off(const std::string& xen_commandline);

// Octets that Xen takes for its page tables and the IOMMU's, beside dom0's own memory
// (xen/arch/x86/dom0_build.c: dom0_paging_pages, dom0_compute_nr_pages).
std::uint64_t pvh_dom0_overhead(std::uint64_t dom0_bytes, unsigned cpus);

}  // namespace roothammer
