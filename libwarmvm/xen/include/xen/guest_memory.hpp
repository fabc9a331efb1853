// SPDX-License-Identifier: GPL-2.0-only
// Port: a domain's memory, a page at a time.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "xen/types.hpp"

namespace warmvm {

// frame: a gfn for HVM, an mfn for PV, as Xen's foreign mapping has it.
class GuestMemory {
  public:
    virtual ~GuestMemory() = default;
    virtual Page read(DomId domain, Gfn frame) = 0;
    virtual void write(DomId domain, Gfn frame, const Page& page) = 0;
    // Reads the frames that can be mapped, one after the other from the beginning of out; the
    // answer says which they are.
    virtual std::vector<bool> read_some(DomId domain, std::span<const Gfn> frames,
                                        std::span<std::byte> out) = 0;
    // What Xen's own table (M2P) says, whoever has the frame. nullopt: no guest has it.
    virtual std::optional<Pfn> pfn(Mfn frame) = 0;
};

std::unique_ptr<GuestMemory> open_guest_memory();

}  // namespace warmvm
