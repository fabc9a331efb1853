// SPDX-License-Identifier: GPL-2.0-only
#include "extents_of.hpp"
#include "harness.hpp"

FUZZ_BYTES(bytes) {
    const auto extents = extents_of(bytes);
    const warmvm::FrameMap map(extents);
    std::uint64_t frames = 0;
    for (const auto& extent : extents) {
        frames += extent.count;
        for (const std::uint32_t i : {0u, extent.count - 1}) {
            const warmvm::Pfn pfn(extent.gfn + i);
            const warmvm::Mfn mfn(extent.mfn.value() + i);
            must(map.mfn(pfn) == mfn && map.pfn(mfn) == pfn);
        }
    }
    must(map.frames() == frames);
}
