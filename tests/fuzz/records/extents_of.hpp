// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstring>
#include <vector>

#include "base/bytes.hpp"
#include "xen/frame_map.hpp"

// As many extents as bytes has room for, 24 octets each, as the hypervisor hands them out.
inline std::vector<warmvm::Extent> extents_of(warmvm::ByteView bytes) {
    warmvm::ByteReader in(bytes, "extents");
    std::vector<warmvm::Extent> extents;
    while (in.left() >= 24) {
        warmvm::Extent extent;
        extent.gfn = in.get<std::uint64_t>();
        extent.mfn = warmvm::Mfn(in.get<std::uint64_t>());
        extent.count = in.get<std::uint32_t>();
        extent.pin = in.get<std::uint32_t>();
        extents.push_back(extent);
    }
    return extents;
}
