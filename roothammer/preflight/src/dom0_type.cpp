// SPDX-License-Identifier: GPL-2.0-only
#include "checks.hpp"
#include "preflight/next_boot.hpp"

namespace roothammer {

void check_dom0_type(Checked& checked, bool images_fit, std::optional<bool> starts_as_pvh) {
    const auto& images = checked.images;
    if (!asks_for_pvh_dom0(images.xen_commandline)) return;
    const std::string take_it_off = "take dom0=pvh off the next Xen's command line";
    const auto hardware = checked.host.domains.hardware();
    if (!hardware.iommu || switches_iommu_off(images.xen_commandline)) {
        checked.refuse("dom0 type", "a PVH dom0 needs an IOMMU, and the next Xen would have none",
                       take_it_off + ", or boot once with the IOMMU switched on");
    } else if (!hardware.hvm) {
        checked.refuse("dom0 type", "a PVH dom0 needs hardware virtualization, and Xen has none",
                       take_it_off);
    } else if (images_fit && !starts_as_pvh) {
        checked.note("dom0 type", "PVH; whether the kernel can be that is not known");
    } else if (images_fit && !*starts_as_pvh) {
        checked.refuse("dom0 type", images.kernel + " cannot be a PVH dom0 (no PHYS32_ENTRY note)",
                       take_it_off + ", or give another kernel");
    } else {
        checked.ok("dom0 type", "PVH");
    }
}

}  // namespace roothammer
