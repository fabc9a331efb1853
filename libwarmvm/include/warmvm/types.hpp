// SPDX-License-Identifier: GPL-2.0-only
// Xen's numbers, each a type of its own: handing an mfn to something that wants a gfn does not
// compile (the idea of xen/include/xen/typesafe.h, always on).
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace warmvm {

template <class Tag, class Rep>
class Strong {
  public:
    using rep = Rep;
    constexpr Strong() = default;
    constexpr explicit Strong(Rep value) : value_(value) {}
    [[nodiscard]] constexpr Rep value() const { return value_; }
    friend constexpr auto operator<=>(Strong, Strong) = default;

  private:
    Rep value_{};
};

using DomId = Strong<struct DomIdTag, std::uint32_t>;
using SetId = Strong<struct SetIdTag, std::uint32_t>;  // a preserved set, for the set's life
using VcpuId = Strong<struct VcpuIdTag, std::uint32_t>;
using Port = Strong<struct PortTag, std::uint32_t>;  // an event channel
using Pfn = Strong<struct PfnTag, std::uint64_t>;    // PV: index into the guest's own p2m
using Gfn = Strong<struct GfnTag, std::uint64_t>;    // HVM, PVH: guest frame; PV: equals the mfn
using Mfn = Strong<struct MfnTag, std::uint64_t>;    // machine frame

inline constexpr std::size_t page_size = 4096;
inline constexpr std::uint64_t page_size_mask = page_size - 1;
using Page = std::array<std::byte, page_size>;

enum class GuestType : std::uint8_t { pv = 0, hvm = 1 };  // hvm: PVH too

// A domain's uuid; Xen calls it the domain's handle.
struct Uuid {
    std::array<std::uint8_t, 16> bytes{};
    friend bool operator==(const Uuid&, const Uuid&) = default;
    // Lower case, 8-4-4-4-12.
    [[nodiscard]] std::string str() const;
    static std::optional<Uuid> parse(std::string_view text);
};

}  // namespace warmvm
