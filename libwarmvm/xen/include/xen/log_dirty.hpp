// SPDX-License-Identifier: GPL-2.0-only
// Port: Xen's log-dirty mode, in which it notes which pages a running guest writes, as for a live
// migration.
#pragma once

#include <memory>
#include <span>

#include "xen/types.hpp"

namespace warmvm {

class LogDirty {
  public:
    virtual ~LogDirty() = default;
    // One more than the guest's highest gfn. PV: its highest pfn, as it says itself; Linux counts
    // room that it never uses.
    virtual std::uint64_t frames(DomId domain) = 0;
    // false: it is in that mode already, or a device is passed through to it, whose writes Xen
    // cannot see.
    virtual bool enable(DomId domain) = 0;
    virtual void disable(DomId domain) = 0;
    // Bit n of the whole: page n (PV: by pfn) was written since the last call or enable().
    virtual void take(DomId domain, std::span<std::uint64_t> written) = 0;
};

std::unique_ptr<LogDirty> open_log_dirty();

}  // namespace warmvm
