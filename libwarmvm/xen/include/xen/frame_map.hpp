// SPDX-License-Identifier: GPL-2.0-only
// A set's extents as a map in both directions. A PV guest's page tables, contexts and p2m hold
// mfns; what leaves the host as a save file must hold pfns.
#pragma once

#include <optional>
#include <vector>

#include "xen/preserved_memory.hpp"

namespace warmvm {

class FrameMap {
  public:
    // Throws Error (stream_category) if an extent is empty, wraps, overlaps another in either
    // numbering, or has an impossible pin.
    explicit FrameMap(std::vector<Extent> extents);

    [[nodiscard]] std::optional<Mfn> mfn(Pfn pfn) const;
    [[nodiscard]] std::optional<Pfn> pfn(Mfn mfn) const;
    // In order of gfn.
    [[nodiscard]] const std::vector<Extent>& extents() const { return by_gfn_; }
    [[nodiscard]] std::uint64_t frames() const { return frames_; }

  private:
    std::vector<Extent> by_gfn_;
    std::vector<Extent> by_mfn_;
    std::uint64_t frames_ = 0;
};

}  // namespace warmvm
