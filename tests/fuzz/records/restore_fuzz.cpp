// SPDX-License-Identifier: GPL-2.0-only
// A whole restore from a preserved set whose image is the input. Whatever the image says, the
// machine's rules hold (the fake throws std::logic_error otherwise) and a refusal leaves the set.
#include "fake_machine.hpp"
#include "guests.hpp"
#include "harness.hpp"
#include "preserved/guest_record.hpp"
#include "preserved/restore_preserved.hpp"

namespace {

void restore(warmvm::ByteView bytes, bool pv) {
    fake::Machine machine;
    auto& guest = pv ? fake::add_pv_guest(machine, "g") : fake::add_pvh_guest(machine, "g");
    guest.shutdown = warmvm::ShutdownReason::suspend;
    const auto set = machine.preserve(guest.id);
    machine.preserved.at(set.value()).info.state = warmvm::SetState::inherited;
    const auto uuid = guest.uuid;
    machine.domains.clear();
    auto& domain = machine.add_domain("g", pv ? fake::GuestKind::pv : fake::GuestKind::pvh);
    domain.uuid = uuid;
    domain.vcpus[0] = {};
    domain.vcpus[1] = {};
    warmvm::MemorySource source(bytes);
    try {
        (void)warmvm::restore_preserved(
            {machine, machine, machine, machine}, domain.id, source,
            {warmvm::Port(1), warmvm::DomId(0), warmvm::Port(2), warmvm::DomId(0)},
            [](unsigned) { return 0; });
    } catch (const warmvm::Error&) {
        must(machine.preserved.size() == 1);
        return;
    }
    must(machine.preserved.at(set.value()).info.state == warmvm::SetState::adopted);
}

}  // namespace

FUZZ_BYTES(bytes) {
    restore(bytes, true);
    restore(bytes, false);
}
