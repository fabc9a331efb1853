// SPDX-License-Identifier: GPL-2.0-only
// The command lines of the next boot, and what the next dom0 will be and take by Xen's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "xen/domain_control.hpp"

namespace roothammer {

// The running hypervisor's command line as the next one's: options that belong to one boot are
// dropped, and no-real-mode is added (the BIOS is not callable after a kexec).
std::string next_xen_commandline(const std::string& running);
// dom0's command line as the next dom0's, without the kernel's self-tests of its cryptography: they
// take a fifth of the kernel's start, and guests stand still meanwhile. An ordinary boot does them.
// Kept where `running` speaks of them or of fips.
std::string next_kernel_commandline(const std::string& running);
std::string with_token(const std::string& commandline, std::uint64_t token);

// "dom0_mem=1G,max:2G" -> 1 GiB; nullopt if there is none, or no plain size.
std::optional<std::uint64_t> dom0_memory(const std::string& xen_commandline);

// Whether Xen will build a PVH dom0 (xen/arch/x86/dom0_build.c: parse_dom0_param; the last word
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
