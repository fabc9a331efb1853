// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstddef>
#include <memory>

namespace replication::codec {

struct UnmapHuge {
    std::size_t bytes;
    void operator()(void* at) const;
};
template <typename T>
using HugeArray = std::unique_ptr<T[], UnmapHuge>;

// When the memory is there. `as_used`: each part at its first visit. `now`: all of it at once, so
// that no later visit waits for the kernel to find and clear it, or ends the process for there is
// none.
enum class Populate { as_used, now };

// Zeroed anonymous memory, page-aligned, in huge pages where the system has them: what is visited
// in no order would otherwise pay a TLB miss a visit. Throws std::bad_alloc.
void* map_huge(std::size_t bytes, Populate populate);

template <typename T>
HugeArray<T> make_huge(std::size_t count, Populate populate = Populate::as_used) {
    const std::size_t bytes = count * sizeof(T);
    return {static_cast<T*>(map_huge(bytes, populate)), UnmapHuge{bytes}};
}

}  // namespace replication::codec
