// SPDX-License-Identifier: GPL-2.0-only
#include "guests.hpp"

#define __XEN_TOOLS__ 1
extern "C" {
#include <xen/xen.h>

#include <xen/hvm/params.h>
}

namespace fake {
namespace {

constexpr std::uint64_t page_shift = 12;
constexpr std::uint64_t pte_flags = 0x67;  // present, writable, user, accessed, dirty

void set_entry(State& machine, const Domain& domain, std::uint64_t table, std::uint64_t index,
               std::uint64_t value) {
    warmvm::store_at(machine.ram[domain.frames.at(table).value()], index * 8, value);
}

std::uint64_t pte(const Domain& domain, std::uint64_t pfn) {
    return domain.frames.at(pfn).value() << page_shift | pte_flags;
}

std::uint64_t index(std::uint64_t address, unsigned level) {
    return address >> (page_shift + 9 * (level - 1)) & 511;
}

void clear(State& machine, const Domain& domain, std::uint64_t pfn) {
    machine.ram[domain.frames.at(pfn).value()] = Page{};
}

void make_page_tables(State& machine, Domain& domain) {
    for (auto pfn = PvLayout::l4; pfn <= PvLayout::user_l4; ++pfn) clear(machine, domain, pfn);
    constexpr auto address = PvLayout::p2m_address;
    set_entry(machine, domain, PvLayout::l4, index(address, 4), pte(domain, PvLayout::l3));
    set_entry(machine, domain, PvLayout::l3, index(address, 3), pte(domain, PvLayout::l2));
    set_entry(machine, domain, PvLayout::l2, index(address, 2), pte(domain, PvLayout::l1));
    set_entry(machine, domain, PvLayout::l1, index(address, 1), pte(domain, PvLayout::p2m));
    set_entry(machine, domain, PvLayout::l1, 7, pte(domain, PvLayout::first_data));
    // Xen's own slots of an L4, which no save file may have.
    set_entry(machine, domain, PvLayout::l4, 256, 0xdead000 | pte_flags);
    set_entry(machine, domain, PvLayout::user_l4, 0, pte(domain, PvLayout::l3));
    for (std::uint64_t pfn = 0; pfn < 512; ++pfn) {
        const auto found = domain.frames.find(pfn);
        set_entry(machine, domain, PvLayout::p2m, pfn,
                  found == domain.frames.end() ? ~std::uint64_t{0} : found->second.value());
    }
    domain.pinned[domain.frames.at(PvLayout::l4).value()] = 4;
    domain.pinned[domain.frames.at(PvLayout::user_l4).value()] = 4;
}

void make_shared_info(State& machine, const Domain& domain) {
    shared_info_t info{};
    info.arch.max_pfn = PvLayout::frames;
    info.arch.p2m_cr3 = domain.frames.at(PvLayout::l4).value() << page_shift;
    info.arch.p2m_vaddr = PvLayout::p2m_address;
    info.evtchn_pending[0] = 5;
    info.vcpu_info[1].arch.cr2 = 0x1234;
    warmvm::store_at(machine.ram[domain.shared_info.value()], 0, info);
}

void make_start_info(State& machine, const Domain& domain) {
    start_info_t info{};
    info.nr_pages = PvLayout::frames;
    info.store_mfn = domain.frames.at(PvLayout::store).value();
    info.console.domU.mfn = domain.frames.at(PvLayout::console).value();
    info.flags = 7;
    warmvm::store_at(machine.ram[domain.frames.at(PvLayout::start_info).value()], 0, info);
}

warmvm::VcpuContext make_vcpu(const Domain& domain, bool first) {
    vcpu_guest_context_t context{};
    context.user_regs.rdx = first ? domain.frames.at(PvLayout::start_info).value() : 77;
    context.gdt_ents = 16;
    context.gdt_frames[0] = domain.frames.at(PvLayout::gdt).value();
    context.ctrlreg[3] = domain.frames.at(PvLayout::l4).value() << page_shift;
    context.ctrlreg[1] = domain.frames.at(PvLayout::user_l4).value() << page_shift;
    warmvm::VcpuContext vcpu;
    warmvm::append(vcpu.basic, context);
    vcpu.extended = Bytes(32, std::byte{0x11});
    vcpu.xsave = Bytes(576, std::byte{0x22});
    vcpu.msrs = Bytes(16, std::byte{0x33});
    return vcpu;
}

}  // namespace

void leave_pfns_in_start_info(State& machine, const Domain& domain) {
    auto& page = machine.ram[domain.frames.at(PvLayout::start_info).value()];
    auto info = warmvm::load_at<start_info_t>(page, 0);
    info.store_mfn = PvLayout::store;
    info.console.domU.mfn = PvLayout::console;
    warmvm::store_at(page, 0, info);
}

Domain& add_pvh_guest(State& machine, const std::string& name) {
    auto& domain = machine.add_domain(name, GuestKind::pvh);
    constexpr std::uint64_t low_frames = 64;
    constexpr std::uint64_t special = 0xfeff8;
    machine.add_frames(domain, 0, low_frames);
    machine.add_frames(domain, special, 8);
    domain.hvm_params[HVM_PARAM_STORE_PFN] = special + 4;
    domain.hvm_params[HVM_PARAM_CONSOLE_PFN] = special + 5;
    domain.hvm_params[HVM_PARAM_MCA_CAP] = 1;
    domain.hvm_context = Bytes(200, std::byte{0x5a});
    return domain;
}

Domain& add_pv_guest(State& machine, const std::string& name) {
    auto& domain = machine.add_domain(name, GuestKind::pv);
    for (std::uint64_t pfn = 0; pfn < PvLayout::frames; ++pfn) {
        // Backwards in pieces: neighbours in pfns are seldom neighbours in mfns.
        const auto scattered = pfn ^ 3;
        if (scattered == PvLayout::hole) continue;
        machine.add_frames(domain, scattered, 1);
    }
    make_page_tables(machine, domain);
    make_shared_info(machine, domain);
    make_start_info(machine, domain);
    domain.vcpus[0] = make_vcpu(domain, true);
    domain.vcpus[1] = make_vcpu(domain, false);
    return domain;
}

}  // namespace fake
