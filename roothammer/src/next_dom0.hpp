// SPDX-License-Identifier: GPL-2.0-only
// What the next dom0 will be by Xen's command line, and what that takes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "xen/domain_control.hpp"

namespace roothammer {

// "dom0_mem=1G,max:2G" -> 1 GiB; nullopt if there is none, or no plain size.
std::optional<std::uint64_t> dom0_memory(const std::string& xen_commandline);

// Which of the two Xen will build (xen/arch/x86/dom0_build.c: parse_dom0_param; the last word
// holds).
bool asks_for_pvh_dom0(const std::string& xen_commandline);

// iommu=off and its like; without an IOMMU Xen panics over a PVH dom0 (drivers/passthrough/iommu.c:
// check_hwdom_reqs).
bool switches_iommu_off(const std::string& xen_commandline);

// Octets that Xen takes beside dom0's own memory (xen/arch/x86/dom0_build.c:
// dom0_compute_nr_pages, dom0_paging_pages): for an IOMMU's page tables by the size of the host,
// and for a PVH dom0's own.
std::uint64_t dom0_overhead(const std::string& xen_commandline, std::uint64_t dom0_bytes,
                            const warmvm::HostHardware& hardware);

}  // namespace roothammer
