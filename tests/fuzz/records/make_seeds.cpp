// SPDX-License-Identifier: GPL-2.0-only
// fuzz-seeds FOLDER: one good input or more for every target, made by the code that makes them.
#include <cstdio>
#include <filesystem>

#include "base/file.hpp"
#include "boot_files.hpp"
#include "fake_machine.hpp"
#include "guests.hpp"
#include "host/plan.hpp"
#include "preserved/guest_record.hpp"
#include "preserved/save_preserved.hpp"
#include "roothammer/timeline.hpp"
#include "save_file_parts.hpp"

namespace {

std::filesystem::path root;

void seed(const std::string& target, const std::string& name, warmvm::ByteView bytes) {
    std::filesystem::create_directories(root / target);
    warmvm::replace_file(root / target / name, bytes);
}

warmvm::Bytes image_of(fake::Machine& machine, fake::Domain& guest) {
    warmvm::Bytes image;
    warmvm::save_preserved(
        {machine, machine, machine, machine}, guest.id, [] {},
        [&] {
            if (guest.is_pv()) fake::leave_pfns_in_start_info(machine, guest);
            guest.shutdown = warmvm::ShutdownReason::suspend;
            return true;
        },
        [&](warmvm::ByteView bytes) { image.assign(bytes.begin(), bytes.end()); });
    return image;
}

void guest_seeds(fake::GuestKind kind) {
    const std::string type(str(kind));
    fake::Machine machine;
    auto& guest = kind == fake::GuestKind::pv ? fake::add_pv_guest(machine, "g")
                                              : fake::add_pvh_guest(machine, "g");
    const auto image = image_of(machine, guest);
    seed("guest_image", type, image);
    seed("restore", type, image);
    auto file = fake::save_file_prefix("g", guest.uuid, kind);
    warmvm::append(file, image);
    warmvm::append(file, fake::save_file_suffix());
    seed("save_file", type, file);
    warmvm::Bytes extents;
    for (const auto& extent : machine.extents(warmvm::SetId(1))) {
        warmvm::append(extents, extent.gfn);
        warmvm::append(extents, extent.mfn.value());
        warmvm::append(extents, extent.count);
        warmvm::append(extents, extent.pin);
    }
    seed("frame_map", type, extents);
}

void small_seeds() {
    seed("guest_record", "one", warmvm::encode(warmvm::GuestRecord{}));
    roothammer::Plan plan;
    plan.token = 1;
    plan.guests.push_back({warmvm::DomId(1), "g", {}, roothammer::GuestStage::frozen, true, "n"});
    seed("plan", "one", warmvm::as_byte_view(roothammer::to_json(plan)));
    roothammer::Timeline timeline;
    timeline.guests.resize(1);
    timeline.guests[0].written.push_back({"ring", 1, 2});
    seed("timeline", "one", warmvm::as_byte_view(roothammer::to_json(timeline)));
    seed("boot_image", "xen", fake::xen_image(512, 1024));
    seed("boot_image", "xen32", fake::xen_image_32(512, 1024));
    seed("boot_image", "kernel", fake::kernel_image(fake::gzip(fake::kernel_elf())));
    seed("boot_image", "gzip", fake::gzip(fake::xen_image(512, 1024)));
    // frame 0 an L4 over 1, 2, 3
    seed("page_tables", "tree",
         warmvm::as_byte_view(std::string_view("\4\0\0\0\0\0\0\0\0\1\0\0\1\1\0\6\2\1\0\4", 20)));
    seed("p2m", "lie", warmvm::as_byte_view("\1\0\0AAAAAAAA\0\1\0BBBBBBBB"));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("usage: fuzz-seeds FOLDER\n", stderr);
        return 2;
    }
    root = argv[1];
    guest_seeds(fake::GuestKind::pv);
    guest_seeds(fake::GuestKind::pvh);
    small_seeds();
    return 0;
}
