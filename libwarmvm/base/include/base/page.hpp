// SPDX-License-Identifier: GPL-2.0-only
// A page, and numbers that are types of their own: handing an mfn to something that wants a gfn
// does not compile (the idea of xen/include/xen/typesafe.h, always on).
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>

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

// A guest's page by the guest's own numbers: of a PV guest the index into its p2m, of a PVH or HVM
// guest its gfn.
using Pfn = Strong<struct PfnTag, std::uint64_t>;

inline constexpr std::size_t page_size = 4096;
inline constexpr unsigned page_shift = 12;
inline constexpr std::uint64_t page_size_mask = page_size - 1;
using Page = std::array<std::byte, page_size>;

}  // namespace warmvm
