// SPDX-License-Identifier: GPL-2.0-only
#pragma once
#include <x86intrin.h>

#include <cstdint>

namespace warmvm {
// dom0's user space reads the machine's own counter, which runs on over a warm reboot.
inline std::uint64_t read_tsc() {
    return __rdtsc();
}
}  // namespace warmvm
