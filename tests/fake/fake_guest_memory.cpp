// SPDX-License-Identifier: GPL-2.0-only
#include "fake_ports.hpp"

#include <algorithm>

namespace fake {

namespace {

using warmvm::Error;
using warmvm::Gfn;

std::optional<Mfn> translate(const Domain& domain, Gfn frame) {
    if (domain.is_pv()) {
        const auto owns = [&](const auto& entry) { return entry.second.value() == frame.value(); };
        if (frame.value() == domain.shared_info.value() ||
            std::ranges::any_of(domain.frames, owns)) {
            return Mfn(frame.value());
        }
    } else if (const auto found = domain.frames.find(frame.value()); found != domain.frames.end()) {
        return found->second;
    }
    return std::nullopt;
}

Mfn must_translate(const Domain& domain, Gfn frame) {
    if (const auto mfn = translate(domain, frame)) return *mfn;
    throw Error::of(std::errc::bad_address, "the domain has no such frame");
}

}  // namespace

Page GuestMemory::read(DomId domain, Gfn frame) {
    step("read frame");
    return ram[must_translate(get(domain), frame).value()];
}

void GuestMemory::write(DomId domain, Gfn frame, const Page& page) {
    step("write frame");
    ram[must_translate(get(domain), frame).value()] = page;
}

std::vector<bool> GuestMemory::read_some(DomId domain, std::span<const Gfn> frames,
                                         std::span<std::byte> out) {
    step("read frames");
    std::vector<bool> readable;
    for (const auto frame : frames) {
        const auto mfn = translate(get(domain), frame);
        readable.push_back(mfn.has_value());
        if (!mfn) continue;
        std::ranges::copy(ram[mfn->value()], out.begin());
        out = out.subspan(warmvm::page_size);
    }
    return readable;
}

// No step(): memory that is mapped does not fail.
std::optional<Pfn> GuestMemory::pfn(Mfn frame) {
    for (const auto& [id, domain] : domains) {
        for (const auto& [pfn, mfn] : domain.frames) {
            if (mfn == frame) return Pfn(pfn);
        }
    }
    return std::nullopt;
}

}  // namespace fake
