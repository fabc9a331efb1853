// SPDX-License-Identifier: GPL-2.0-only
#include "codec/huge_memory.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <new>

namespace replication::codec {

void UnmapHuge::operator()(void* at) const {
    ::munmap(at, bytes);
}

void* map_huge(std::size_t bytes, Populate populate) {
    void* at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) throw std::bad_alloc();
    ::madvise(at, bytes, MADV_HUGEPAGE);
    // Linux before 5.14 does not know this advice; the memory then comes as it is used.
    if (populate == Populate::now && ::madvise(at, bytes, MADV_POPULATE_WRITE) != 0 &&
        errno != EINVAL) {
        ::munmap(at, bytes);
        throw std::bad_alloc();
    }
    return at;
}

}  // namespace replication::codec
