// SPDX-License-Identifier: GPL-2.0-only
// A running guest's memory by the guest's own page numbers: gfns of PVH, pfns of PV.
#pragma once

#include <span>
#include <vector>

#include "xen/domain_control.hpp"
#include "xen/guest_memory.hpp"

namespace warmvm {

class GuestPages {
  public:
    // frames: LogDirty::frames. PV: the guest is paused; its p2m is read, of which only what agrees
    // with Xen's M2P is believed. Throws Error; of stream_category if the guest has no p2m that can
    // be followed.
    GuestPages(GuestMemory& memory, const DomainInfo& domain, std::uint64_t frames);

    // Every page's number is below.
    [[nodiscard]] std::uint32_t count() const { return count_; }
    // PV: reads the p2m again if one of the pages is not where it was. The guest is paused.
    void locate(std::span<const std::uint32_t> pages);
    // The contents of those that are there, one after the other; their numbers are moved to the
    // beginning of `pages`, and the answer is how many they are. One that is not there may have
    // been ballooned out, or never have been.
    std::size_t read(std::span<std::uint32_t> pages, std::span<std::byte> out);

  private:
    void read_p2m();
    [[nodiscard]] bool is_at(std::uint32_t page, Mfn frame) const;

    GuestMemory& memory_;
    DomainInfo domain_;
    std::uint64_t frames_;
    std::uint32_t count_ = 0;
    std::vector<Mfn> p2m_;  // PV: by pfn, as the guest has it
};

}  // namespace warmvm
