// SPDX-License-Identifier: GPL-2.0-only
#include "xen/frame_map.hpp"

#include <algorithm>

namespace warmvm {
namespace {

constexpr std::uint64_t max_frame = std::uint64_t{1} << 40;  // 52 bits of address
constexpr std::uint32_t max_pin = 4;

template <class First>
void check_overlap(const std::vector<Extent>& extents, First first, const char* what) {
    for (std::size_t i = 1; i < extents.size(); ++i) {
        if (first(extents[i - 1]) + extents[i - 1].count > first(extents[i])) {
            throw Error(StreamErrc::bad_value, what);
        }
    }
}

std::uint64_t gfn_of(const Extent& extent) {
    return extent.gfn;
}
std::uint64_t mfn_of(const Extent& extent) {
    return extent.mfn.value();
}

// The extent that holds frame, or null.
template <class First>
const Extent* find(const std::vector<Extent>& extents, std::uint64_t frame, First first) {
    auto after = std::upper_bound(
        extents.begin(), extents.end(), frame,
        [&](std::uint64_t wanted, const Extent& extent) { return wanted < first(extent); });
    if (after == extents.begin()) return nullptr;
    const auto& extent = *--after;
    return frame - first(extent) < extent.count ? &extent : nullptr;
}

}  // namespace

FrameMap::FrameMap(std::vector<Extent> extents) : by_gfn_(std::move(extents)), by_mfn_(by_gfn_) {
    for (const auto& extent : by_gfn_) {
        if (extent.count == 0 || extent.gfn >= max_frame || extent.mfn.value() >= max_frame ||
            extent.pin > max_pin || (extent.pin != 0 && extent.count != 1)) {
            throw Error(StreamErrc::bad_value, "extent");
        }
        frames_ += extent.count;
    }
    std::ranges::sort(by_gfn_, {}, gfn_of);
    std::ranges::sort(by_mfn_, {}, mfn_of);
    check_overlap(by_gfn_, gfn_of, "extents overlap in gfns");
    check_overlap(by_mfn_, mfn_of, "extents overlap in mfns");
}

std::optional<Mfn> FrameMap::mfn(Pfn pfn) const {
    const auto* extent = find(by_gfn_, pfn.value(), gfn_of);
    if (!extent) return std::nullopt;
    return Mfn(extent->mfn.value() + (pfn.value() - extent->gfn));
}

std::optional<Pfn> FrameMap::pfn(Mfn mfn) const {
    const auto* extent = find(by_mfn_, mfn.value(), mfn_of);
    if (!extent) return std::nullopt;
    return Pfn(extent->gfn + (mfn.value() - extent->mfn.value()));
}

}  // namespace warmvm
