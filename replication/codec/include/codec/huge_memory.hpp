// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace replication::codec {

struct UnmapHuge {
    std::size_t bytes;
    void operator()(void* at) const;
};
template <typename T>
using HugeArray = std::unique_ptr<T[], UnmapHuge>;

// Zeroed anonymous memory, page-aligned, in huge pages where the system has them: what is visited
// in no order would otherwise pay a TLB miss a visit. Not touched yet, so it costs memory only as
// it is used. Throws std::bad_alloc.
void* map_huge(std::size_t bytes);

template <typename T>
HugeArray<T> make_huge(std::size_t count) {
    const std::size_t bytes = count * sizeof(T);
    return {static_cast<T*>(map_huge(bytes)), UnmapHuge{bytes}};
}

}  // namespace replication::codec
