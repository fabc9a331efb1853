// SPDX-License-Identifier: GPL-2.0-only
#include <array>
#include <cstdio>

#include "checks.hpp"

namespace roothammer {
namespace {

using warmvm::page_size;

std::string in_hex(std::uint64_t address) {
    std::array<char, 24> text{};
    std::snprintf(text.data(), text.size(), "%#llx", static_cast<unsigned long long>(address));
    return text.data();
}

std::uint64_t whole_pages(std::uint64_t bytes) {
    return (bytes + warmvm::page_size_mask) & ~warmvm::page_size_mask;
}

}  // namespace

void check_window(Checked& checked, const XenImage& xen) {
    const auto& info = checked.info;
    const auto end = info.window_start + info.window_size;
    if (xen.memory_bytes > info.window_size) {
        checked.refuse("xen image",
                       "it takes " + in_mib(xen.memory_bytes) + " and Xen's window is " +
                           in_mib(info.window_size),
                       "use a smaller image, or boot it the cold way");
    } else if (info.window_start < xen.min_address || end > xen.max_address + 1) {
        checked.refuse("xen image", "it cannot be loaded where the running Xen lies",
                       "boot it the cold way");
    }
}

void check_room(Checked& checked, const Dom0Kernel& kernel, std::uint64_t initrd_bytes) {
    // kexec-tools fills the range from its second page on; a kernel that Xen must unpack is then
    // moved, with its headroom in front, into what is left (setup.c: keep_modules_in_range).
    constexpr std::uint64_t purgatory_bytes = 64u << 10;
    constexpr std::uint64_t mbi_bytes = 64u << 10;
    const auto& images = checked.images;
    auto& report = checked.report;
    report.room = {
        {"breadcrumb", page_size},
        {"purgatory", purgatory_bytes},
        {"multiboot information",
         mbi_bytes + images.xen_commandline.size() + images.kernel_commandline.size()},
        {"dom0 kernel", whole_pages(kernel.file_bytes)},
        {"dom0 initrd", whole_pages(initrd_bytes)},
        {"dom0 kernel, unpacked by Xen",
         kernel.headroom_bytes ? whole_pages(kernel.file_bytes) + whole_pages(kernel.headroom_bytes)
                               : 0},
        {"Xen's frame table and page tables", checked.info.boot_need},
    };
    report.room_reserved = checked.info.range_size;
    for (const auto& item : report.room) report.room_needed += item.bytes;
    const auto text = "the next boot needs " + in_mib(report.room_needed) + " of " +
                      in_mib(report.room_reserved) + " reserved";
    if (report.room_needed <= report.room_reserved) {
        checked.ok("range", text);
        return;
    }
    constexpr std::uint64_t step = 2u << 20;
    const auto size_in_mib = (report.room_needed + step - 1) / step * 2;
    checked.refuse("range", text,
                   "boot once with liveupdate=" + std::to_string(size_in_mib) + "M@" +
                       in_hex(checked.info.range_start) +
                       ", or a larger size, on Xen's command line, or use a smaller dom0 initrd");
}

}  // namespace roothammer
