// SPDX-License-Identifier: GPL-2.0-only
#include "machine_state.hpp"

#include <algorithm>
#include <stdexcept>

#include "base/bytes.hpp"

namespace fake {
namespace {

using warmvm::Error;

}  // namespace

void broken_rule(const std::string& what) {
    throw std::logic_error(what);
}

State::State() {
    host_info.range = true;
    host_info.range_start = 512ull << 20;
    host_info.range_size = 256ull << 20;
    host_info.window_start = 3040ull << 20;
    host_info.window_size = 16ull << 20;
    host_info.boot_need = 8ull << 20;
    host_info.tsc_khz = 1000000;
}

void State::step(const char* call) {
    ++calls;
    tsc_ += 10;
    if (dead_) throw Killed{};
    if (calls == fail_at || fail_in == call) {
        failed_call = call;
        fail_in.clear();
        dead_ = kill;
        if (kill) throw Killed{};
        throw Error::of(std::errc::io_error, std::string("fault injected into ") + call);
    }
}

Domain& State::get(DomId domain) {
    const auto found = domains.find(domain.value());
    if (found == domains.end()) throw Error::of(std::errc::no_such_process, "no such domain");
    return found->second;
}

Set& State::get(SetId set) {
    const auto found = preserved.find(set.value());
    if (found == preserved.end()) {
        throw Error::of(std::errc::no_such_file_or_directory, "no such set");
    }
    return found->second;
}

Mfn State::new_frame() {
    return Mfn(next_mfn_++);
}

Domain& State::add_domain(const std::string& name, GuestKind kind) {
    Domain domain;
    domain.id = DomId(next_domid_++);
    domain.name = name;
    domain.kind = kind;
    domain.uuid.bytes[0] = static_cast<std::uint8_t>(domain.id.value());
    domain.uuid.bytes[15] = 0xee;
    domain.shared_info = new_frame();
    domain.policy = {Bytes(24, std::byte{7}), Bytes(16, std::byte{9})};
    const auto id = std::to_string(domain.id.value());
    nodes["/local/domain/" + id + "/name"] = name;
    nodes["/libxl/" + id + "/type"] = str(kind);
    nodes["/local/domain/" + id + "/control/shutdown"] = "";
    nodes["/local/domain/" + id + "/control/feature-suspend"] = "1";
    return domains[domain.id.value()] = domain;
}

void State::add_frames(Domain& domain, std::uint64_t first_gfn, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
        const auto mfn = new_frame();
        domain.frames[first_gfn + i] = mfn;
        auto& page = ram[mfn.value()];
        warmvm::store_at(page, 0, mfn.value() * 0x9e3779b97f4a7c15);
    }
}

Domain* State::find(const std::string& name) {
    for (auto& [id, domain] : domains) {
        if (domain.name == name) return &domain;
    }
    return nullptr;
}

void State::guest_writes(Domain& domain, std::uint64_t page, std::uint8_t octet) {
    if (!domain.runs()) broken_rule("a guest that does not run writes");
    ram[domain.frames.at(page).value()].fill(std::byte{octet});
    if (domain.log_dirty) domain.dirty.insert(page);
}

void State::remove(DomId domain) {
    for (auto& [id, set] : preserved) {
        if (set.info.domid != domain || set.info.state != warmvm::SetState::adopted) continue;
        set.info.state = warmvm::SetState::inherited;
    }
    late_.erase(domain.value());
    const auto id = std::to_string(domain.value());
    std::erase_if(nodes, [&](const auto& node) {
        return node.first.starts_with("/local/domain/" + id + "/") ||
               node.first.starts_with("/libxl/" + id + "/");
    });
    domains.erase(domain.value());
}

}  // namespace fake
