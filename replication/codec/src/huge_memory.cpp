// SPDX-License-Identifier: GPL-2.0-only
#include "codec/huge_memory.hpp"

#include <sys/mman.h>

#include <new>

namespace replication::codec {

void UnmapHuge::operator()(void* at) const {
    ::munmap(at, bytes);
}

void* map_huge(std::size_t bytes) {
    void* at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) throw std::bad_alloc();
    ::madvise(at, bytes, MADV_HUGEPAGE);
    return at;
}

}  // namespace replication::codec
