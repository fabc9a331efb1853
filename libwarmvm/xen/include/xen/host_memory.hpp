// SPDX-License-Identifier: GPL-2.0-only
// Port: who has the host's memory.
#pragma once

#include <cstdint>
#include <memory>

namespace warmvm {

// Bytes.
struct HostMemoryUse {
    std::uint64_t total{};    // RAM that Xen manages
    std::uint64_t free{};     // in its heap
    std::uint64_t domains{};  // dom0's and guests' frames, with what their page tables are made of
    std::uint32_t guests{};   // domains but dom0
    // What is neither free nor a domain's: on x86-64 Xen's own allocations come from the same heap.
    [[nodiscard]] std::uint64_t own() const {
        return total > free + domains ? total - free - domains : 0;
    }
};

class HostMemory {
  public:
    virtual ~HostMemory() = default;
    virtual HostMemoryUse use() = 0;
};

std::unique_ptr<HostMemory> open_host_memory();

}  // namespace warmvm
