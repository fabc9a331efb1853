// SPDX-License-Identifier: GPL-2.0-only
// A PV guest that lies about its p2m: octets of its shared info and its tables are overwritten.
#include "fake_machine.hpp"
#include "guests.hpp"
#include "harness.hpp"
#include "xen/frame_map.hpp"
#include "xen/pv_p2m.hpp"

FUZZ_BYTES(bytes) {
    fake::Machine machine;
    auto& guest = fake::add_pv_guest(machine, "mail");
    warmvm::ByteReader in(bytes, "p2m");
    while (in.left() >= 11) {
        const auto which = in.get<std::uint8_t>();
        const auto offset = in.get<std::uint16_t>();
        const auto value = in.get<std::uint64_t>();
        const auto mfn =
            which % 2 ? guest.shared_info : guest.frames.at(fake::PvLayout::l4 + which % 6u);
        warmvm::store_at(machine.ram[mfn.value()], offset % 512u * 8u, value);
    }
    std::vector<warmvm::Extent> extents;
    for (const auto& [pfn, mfn] : guest.frames) extents.push_back({pfn, mfn, 1, 0});
    const warmvm::FrameMap map(extents);
    const auto p2m =
        warmvm::find_p2m_leaves(machine, guest.id, machine.ram[guest.shared_info.value()],
                                [&](warmvm::Mfn mfn) { return map.pfn(mfn); });
    must(p2m.frames.size() == p2m.max_pfn / 512u + 1);
    for (const auto mfn : p2m.frames) must(map.pfn(mfn).has_value());
}
