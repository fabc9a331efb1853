// SPDX-License-Identifier: GPL-2.0-only
#include "checks.hpp"
#include "preflight/kernel_notes.hpp"
#include "preflight/next_boot.hpp"
#include "preflight/unpack.hpp"

namespace roothammer {
namespace {

using warmvm::ByteView;

// What look() finds in the file; nullopt if it is refused.
template <class Look>
auto inspect(Checked& checked, const std::string& subject, const std::string& path,
             const std::string& option, Look look) -> std::optional<decltype(look(ByteView{}))> {
    try {
        // kexec takes what follows the first space for the module's command line.
        if (path.find(' ') != std::string::npos) {
            throw warmvm::Error::of(std::errc::invalid_argument, "a space in the name");
        }
        const auto file = read_boot_file(path);
        auto found = look(ByteView(file));
        checked.ok(subject, path);
        return found;
    } catch (const warmvm::Error& error) {
        checked.refuse(subject, path + ": " + error.what(),
                       "give a good one with " + option + " or in roothammer.conf");
        return std::nullopt;
    }
}

}  // namespace

void check_images(Checked& checked) {
    const auto& images = checked.images;
    auto& unpacked = checked.report.unpacked_kernel;
    std::optional<bool> can_be_pvh;
    const auto xen = inspect(checked, "xen image", images.xen, "--xen", inspect_xen);
    const auto kernel =
        inspect(checked, "dom0 kernel", images.kernel, "--kernel", [&](ByteView file) {
            unpacked = unpacked_kernel(file);
            const auto loaded = unpacked.empty() ? file : ByteView(unpacked);
            if (asks_for_pvh_dom0(images.xen_commandline)) can_be_pvh = starts_as_pvh(loaded);
            return inspect_kernel(loaded);
        });
    check_dom0_type(checked, xen && kernel, can_be_pvh);
    const auto initrd_bytes = inspect(checked, "dom0 initrd", images.initrd, "--initrd",
                                      [](ByteView file) -> std::uint64_t { return file.size(); });
    if (!xen || !kernel || !initrd_bytes || !checked.info.range) return;
    check_window(checked, *xen);
    check_room(checked, *kernel, *initrd_bytes);
}

}  // namespace roothammer
