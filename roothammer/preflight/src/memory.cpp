// SPDX-License-Identifier: GPL-2.0-only
#include <sstream>

#include "checks.hpp"
#include "preflight/next_boot.hpp"

namespace roothammer {
namespace {

void check_size(Checked& checked) {
    const auto& commandline = checked.images.xen_commandline;
    const auto dom0 = dom0_memory(commandline);
    if (!dom0) {
        checked.refuse("dom0 memory", "the next Xen's command line has no dom0_mem= with a size",
                       "add dom0_mem=<size>: without it the new dom0 would try to take all that "
                       "is free");
        return;
    }
    const auto usable = checked.host.preserved.survey().frames * warmvm::page_size;
    const auto overhead = dom0_overhead(commandline, *dom0, checked.host.domains.hardware());
    const auto text = "the new dom0 takes " + in_mib(*dom0 + overhead) + " of " + in_mib(usable) +
                      " that guests leave";
    if (*dom0 + overhead > usable) {
        checked.refuse("dom0 memory", text, "lower dom0_mem= or shut a guest down");
    } else {
        checked.ok("dom0 memory", text);
    }
}

// A warm boot does not go by way of the allocator that leaves bad pages out (page_alloc.c:
// init_boot_pages).
void check_bad_pages(Checked& checked) {
    std::istringstream words(checked.images.xen_commandline);
    for (std::string word; words >> word;) {
        if (!word.starts_with("badpage=")) continue;
        checked.refuse("xen command line",
                       word + ": after a warm boot bad pages would be used like others",
                       "reboot this host the cold way");
    }
}

}  // namespace

void check_memory(Checked& checked) {
    check_size(checked);
    check_bad_pages(checked);
}

}  // namespace roothammer
