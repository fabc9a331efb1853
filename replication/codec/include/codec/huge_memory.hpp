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

// When the kernel finds and clears the memory. `as_used`: each part when it is first visited.
// `now`: all of it at once; then no later visit has to wait for that, and the process is not killed
// by one for which no memory is left.
enum class Populate { as_used, now };

// Maps zeroed anonymous memory, page-aligned, in huge pages where the system has them: memory that
// is visited in no order would otherwise cost a TLB miss a visit. Throws std::bad_alloc.
void* map_huge(std::size_t bytes, Populate populate);

template <typename T>
HugeArray<T> make_huge(std::size_t count, Populate populate = Populate::as_used) {
    const std::size_t bytes = count * sizeof(T);
    return {static_cast<T*>(map_huge(bytes, populate)), UnmapHuge{bytes}};
}

}  // namespace replication::codec
