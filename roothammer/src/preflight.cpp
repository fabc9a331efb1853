// SPDX-License-Identifier: GPL-2.0-only
#include "roothammer/preflight.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <sstream>

#include "guest/save_file.hpp"
#include "roothammer/boot_images.hpp"
#include "roothammer/kernel_notes.hpp"
#include "roothammer/next_boot.hpp"
#include "roothammer/preserved_guests.hpp"

namespace roothammer {
namespace {

using warmvm::page_size;
using warmvm::PreservedInfo;

constexpr std::uint64_t mib = 1u << 20;

std::string in_mib(std::uint64_t bytes) {
    return std::to_string((bytes + mib - 1) / mib) + " MiB";
}

std::string in_hex(std::uint64_t address) {
    std::array<char, 24> text{};
    std::snprintf(text.data(), text.size(), "%#llx", static_cast<unsigned long long>(address));
    return text.data();
}

std::uint64_t whole_pages(std::uint64_t bytes) {
    return (bytes + warmvm::page_size_mask) & ~warmvm::page_size_mask;
}

class Preflight {
  public:
    Preflight(const Host& host, const Images& images, OnGuestFailure policy)
        : host_(host), images_(images), policy_(policy) {}

    Report run() {
        if (check_hypervisor()) {
            check_images();
            check_memory();
            check_bad_pages();
            check_preserved();
            check_guests();
        }
        return std::move(report_);
    }

  private:
    void ok(std::string subject, std::string text) {
        report_.findings.push_back({Verdict::ok, std::move(subject), std::move(text), {}, false});
    }
    void note(std::string subject, std::string text) {
        report_.findings.push_back({Verdict::note, std::move(subject), std::move(text), {}, false});
    }
    void refuse(std::string subject, std::string text, std::string mend, bool guest = false) {
        report_.findings.push_back(
            {Verdict::refused, std::move(subject), std::move(text), std::move(mend), guest});
    }

    bool check_hypervisor() {
        const auto version = host_.domains.version();
        const auto running = "Xen " + std::to_string(version.major) + "." +
                             std::to_string(version.minor) + version.extra;
        const auto info = host_.preserved.info();
        if (!info) {
            refuse("hypervisor", running + " cannot preserve memory over a reboot",
                   "boot a hypervisor that is built with CONFIG_PRESERVED_MEMORY");
            return false;
        }
        info_ = *info;
        ok("hypervisor", running + " preserves memory; " + std::to_string(info_.generation) +
                             " warm boots since the last cold one");
        if (!info_.range) {
            refuse("range", std::string(describe(warmvm::Reason::no_range)),
                   std::string(mend(warmvm::Reason::no_range)));
        }
        if (info_.armed) {
            refuse("hypervisor", "a warm reboot is armed already",
                   "run `roothammer recover`, which disarms it");
        }
        return true;
    }

    template <class Look>
    auto inspect(const std::string& subject, const std::string& path, const std::string& option,
                 Look look) -> decltype(look(warmvm::ByteView{})) {
        try {
            // kexec takes what follows the first space for the module's command line.
            if (path.find(' ') != std::string::npos) {
                throw warmvm::Error::of(std::errc::invalid_argument, "a space in the name");
            }
            const auto file = read_boot_file(path);
            auto found = look(warmvm::ByteView(file));
            ok(subject, path);
            return found;
        } catch (const warmvm::Error& error) {
            images_fit_ = false;
            refuse(subject, path + ": " + error.what(),
                   "give a good one with " + option + " or in roothammer.conf");
            return {};
        }
    }

    void check_images() {
        const auto xen = inspect("xen image", images_.xen, "--xen", inspect_xen);
        const auto kernel = inspect(
            "dom0 kernel", images_.kernel, "--kernel", [this](warmvm::ByteView file) -> Dom0Kernel {
                report_.unpacked_kernel = unpacked_kernel(file);
                const auto loaded = report_.unpacked_kernel.empty()
                                        ? file
                                        : warmvm::ByteView(report_.unpacked_kernel);
                if (asks_for_pvh_dom0(images_.xen_commandline)) {
                    starts_as_pvh_ = starts_as_pvh(loaded);
                }
                return inspect_kernel(loaded);
            });
        check_dom0_type();
        const auto initrd_bytes =
            inspect("dom0 initrd", images_.initrd, "--initrd",
                    [](warmvm::ByteView file) -> std::uint64_t { return file.size(); });
        if (!images_fit_ || !info_.range) return;
        check_window(xen);
        check_room(kernel, initrd_bytes);
    }

    void check_dom0_type() {
        if (!asks_for_pvh_dom0(images_.xen_commandline)) return;
        const std::string take_it_off = "take dom0=pvh off the next Xen's command line";
        const auto hardware = host_.domains.hardware();
        if (!hardware.iommu || switches_iommu_off(images_.xen_commandline)) {
            refuse("dom0 type", "a PVH dom0 needs an IOMMU, and the next Xen would have none",
                   take_it_off + ", or boot once with the IOMMU switched on");
        } else if (!hardware.hvm) {
            refuse("dom0 type", "a PVH dom0 needs hardware virtualization, and Xen has none",
                   take_it_off);
        } else if (images_fit_ && !starts_as_pvh_) {
            note("dom0 type", "PVH; whether the kernel can be that is not known");
        } else if (images_fit_ && !*starts_as_pvh_) {
            refuse("dom0 type", images_.kernel + " cannot be a PVH dom0 (no PHYS32_ENTRY note)",
                   take_it_off + ", or give another kernel");
        } else {
            ok("dom0 type", "PVH");
        }
    }

    void check_window(const XenImage& xen) {
        const auto end = info_.window_start + info_.window_size;
        if (xen.memory_bytes > info_.window_size) {
            refuse("xen image",
                   "it takes " + in_mib(xen.memory_bytes) + " and Xen's window is " +
                       in_mib(info_.window_size),
                   "use a smaller image, or boot it the cold way");
        } else if (info_.window_start < xen.min_address || end > xen.max_address + 1) {
            refuse("xen image", "it cannot be loaded where the running Xen lies",
                   "boot it the cold way");
        }
    }

    void check_room(const Dom0Kernel& kernel, std::uint64_t initrd_bytes) {
        // kexec-tools fills the range from its second page on; a kernel that Xen must unpack is
        // then moved, with its headroom in front, into what is left (setup.c:
        // keep_modules_in_range).
        constexpr std::uint64_t purgatory_bytes = 64u << 10;
        constexpr std::uint64_t mbi_bytes = 64u << 10;
        report_.room = {
            {"breadcrumb", page_size},
            {"purgatory", purgatory_bytes},
            {"multiboot information",
             mbi_bytes + images_.xen_commandline.size() + images_.kernel_commandline.size()},
            {"dom0 kernel", whole_pages(kernel.file_bytes)},
            {"dom0 initrd", whole_pages(initrd_bytes)},
            {"dom0 kernel, unpacked by Xen",
             kernel.headroom_bytes
                 ? whole_pages(kernel.file_bytes) + whole_pages(kernel.headroom_bytes)
                 : 0},
            {"Xen's frame table and page tables", info_.boot_need},
        };
        report_.room_reserved = info_.range_size;
        for (const auto& item : report_.room) report_.room_needed += item.bytes;
        const auto text = "the next boot needs " + in_mib(report_.room_needed) + " of " +
                          in_mib(report_.room_reserved) + " reserved";
        if (report_.room_needed > report_.room_reserved) {
            const auto size = (report_.room_needed + 2 * mib - 1) / (2 * mib) * 2;
            refuse("range", text,
                   "boot once with liveupdate=" + std::to_string(size) + "M@" +
                       in_hex(info_.range_start) +
                       ", or a larger size, on Xen's command line, or use a smaller dom0 initrd");
        } else {
            ok("range", text);
        }
    }

    void check_memory() {
        const auto dom0 = dom0_memory(images_.xen_commandline);
        if (!dom0) {
            refuse("dom0 memory", "the next Xen's command line has no dom0_mem= with a size",
                   "add dom0_mem=<size>: without it the new dom0 would try to take all that is "
                   "free");
            return;
        }
        const auto survey = host_.preserved.survey();
        const auto usable = survey.frames * page_size;
        const auto overhead =
            dom0_overhead(images_.xen_commandline, *dom0, host_.domains.hardware());
        const auto text = "the new dom0 takes " + in_mib(*dom0 + overhead) + " of " +
                          in_mib(usable) + " that guests leave";
        if (*dom0 + overhead > usable) {
            refuse("dom0 memory", text, "lower dom0_mem= or shut a guest down");
        } else {
            ok("dom0 memory", text);
        }
    }

    // A warm boot does not go by way of the allocator that leaves them out (page_alloc.c:
    // init_boot_pages).
    void check_bad_pages() {
        std::istringstream words(images_.xen_commandline);
        for (std::string word; words >> word;) {
            if (!word.starts_with("badpage=")) continue;
            refuse("xen command line",
                   word + ": after a warm boot bad pages would be used like others",
                   "reboot this host the cold way");
        }
    }

    void check_preserved() {
        for (const auto& guest : preserved_guests(host_)) {
            switch (guest.set.state) {
                case warmvm::SetState::local:
                    refuse("guest " + guest.name, "it is frozen by an earlier try",
                           "run `roothammer recover`");
                    break;
                case warmvm::SetState::adopted:
                    refuse("guest " + guest.name, "its resume has not ended",
                           "run `roothammer resume " + guest.name + "` again");
                    break;
                case warmvm::SetState::inherited:
                    check_carried(guest);
                    break;
                case warmvm::SetState::unreadable:
                    note(guest.name, "unreadable (" + guest.trouble.value_or("") +
                                         "); its frames stay reserved");
                    break;
            }
        }
    }

    // Once both are preserved nothing tells which of the two is the older, and the older memory on
    // disks that the newer has written destroys them.
    void check_carried(const PreservedGuest& guest) {
        const auto twin = std::ranges::any_of(running_guests(host_), [&](const Guest& other) {
            return other.name == guest.name || other.info.uuid == guest.set.uuid;
        });
        if (twin) {
            // Not "or destroy the running guest": it has written its disks by now.
            const bool quoted = guest.name.find(' ') != std::string::npos;
            refuse("guest " + guest.name,
                   "its memory is preserved, and a guest of its name or uuid runs beside it",
                   "give the preserved memory up: roothammer discard " +
                       (quoted ? "'" + guest.name + "'" : guest.name));
        } else {
            note("guest " + guest.name,
                 "preserved and not resumed since the last warm reboot; it is carried along");
        }
    }

    void check_guests() {
        const auto sets = host_.preserved.sets();
        for (const auto& guest : running_guests(host_)) {
            // Of an unfinished freeze or resume, which is refused as such.
            const auto is_its = [&](const auto& set) {
                return set.domid == guest.info.id && (set.state == warmvm::SetState::local ||
                                                      set.state == warmvm::SetState::adopted);
            };
            if (std::ranges::any_of(sets, is_its)) continue;
            const auto before = report_.findings.size();
            check_guest(guest);
            const bool fit = report_.findings.size() == before;
            if (fit) {
                ok("guest " + guest.name, std::string(str(guest.info.kind)) + ", " +
                                              in_mib(guest.info.frames * page_size));
            } else if (policy_ == OnGuestFailure::shutdown) {
                for (auto i = before; i < report_.findings.size(); ++i) {
                    auto& finding = report_.findings[i];
                    finding.verdict = Verdict::note;
                    finding.text += "; it will be shut down";
                }
            }
            report_.guests.push_back({guest.info.id, guest.name, guest.info.uuid,
                                      GuestStage::running, fit, fit ? "" : "not fit to be frozen"});
        }
    }

    void check_guest(const Guest& guest) {
        const auto subject = "guest " + guest.name;
        const auto no = [&](std::string text, std::string mend) {
            refuse(subject, std::move(text), std::move(mend), true);
        };
        const auto& info = guest.info;
        constexpr std::string_view incoming = "--incoming";
        constexpr std::string_view migrated = "--migratedaway";
        if (!warmvm::is_guest_name(guest.name)) {
            no("its name has spaces, control characters or '/', or is longer than 127 octets",
               "xl rename " + std::to_string(guest.info.id.value()) + " NAME");
        }
        if (guest.name.ends_with(incoming) || guest.name.ends_with(migrated)) {
            no("it is being migrated", "wait for the migration to end");
        }
        if (info.shutdown) {
            no(*info.shutdown == warmvm::ShutdownReason::suspend ? "it is suspended"
                                                                 : "it has shut down or crashed",
               "destroy it (xl destroy) or, if it is suspended, run `roothammer recover`");
            return;
        }
        if (info.paused) no("it is paused", "xl unpause " + guest.name);
        if (!guest.known_to_libxl) {
            no("libxl does not know it", "destroy it, or manage it with xl");
        } else if (info.kind == warmvm::GuestKind::hvm) {
            no("an HVM guest with a device model cannot be carried yet",
               "shut it down, or run it as PVH (type=\"pvh\")");
        }
        if (info.is_pv() && info.pv_width != 8) {
            no("a 32-bit PV guest cannot be carried", "run a 64-bit kernel, or shut it down");
        }
        if (!guest.can_suspend) {
            no("it has no PV drivers that can suspend (control/feature-suspend)",
               "boot it with a kernel that has Xen's PV drivers, or shut it down");
        }
        const auto verdict = host_.preserved.check(info.id);
        if (const auto* refusal = std::get_if<warmvm::Refusal>(&verdict)) {
            const auto way_out = mend(refusal->reason);
            no(refusal->str(), way_out.empty() ? "shut it down" : std::string(way_out));
        }
    }

    const Host& host_;
    const Images& images_;
    OnGuestFailure policy_;
    PreservedInfo info_;
    bool images_fit_ = true;
    std::optional<bool> starts_as_pvh_;
    Report report_;
};

}  // namespace

Report preflight(const Host& host, const Images& images, OnGuestFailure policy) {
    return Preflight(host, images, policy).run();
}

}  // namespace roothammer
