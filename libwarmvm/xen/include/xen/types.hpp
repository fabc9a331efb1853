// SPDX-License-Identifier: GPL-2.0-only
// Xen's numbers and names of things.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/page.hpp"

namespace warmvm {

using DomId = Strong<struct DomIdTag, std::uint32_t>;
using SetId = Strong<struct SetIdTag, std::uint32_t>;  // a preserved set, for the set's life
using VcpuId = Strong<struct VcpuIdTag, std::uint32_t>;
using Port = Strong<struct PortTag, std::uint32_t>;  // an event channel
using Gfn = Strong<struct GfnTag, std::uint64_t>;    // HVM, PVH: guest frame; PV: equals the mfn
using Mfn = Strong<struct MfnTag, std::uint64_t>;    // machine frame

// "dom7", as Xen's own messages have it.
std::string str(DomId domain);

// libxl's types of guests. To Xen a PVH guest is an HVM guest for which it emulates nothing but, at
// most, the local APIC (tools/libs/light/libxl_x86.c).
enum class GuestKind : std::uint8_t { pv, pvh, hvm };
// libxl's word for it: "pv", "pvh", "hvm".
std::string_view str(GuestKind kind);
std::optional<GuestKind> parse_guest_kind(std::string_view text);

// A domain's uuid; Xen calls it the domain's handle.
struct Uuid {
    std::array<std::uint8_t, 16> bytes{};
    friend bool operator==(const Uuid&, const Uuid&) = default;
    // Lower case, 8-4-4-4-12.
    [[nodiscard]] std::string str() const;
    static std::optional<Uuid> parse(std::string_view text);
};

}  // namespace warmvm
