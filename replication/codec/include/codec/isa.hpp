// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <string_view>
#include <vector>

namespace replication::codec {

// The instruction sets the page kernels exist for. All give the same bytes; only speed differs.
enum class Isa { scalar, avx2, avx512 };

// Fastest first, as this processor and operating system allow; scalar is always last.
std::vector<Isa> available_isas();

inline Isa best_isa() {
    return available_isas().front();
}

std::string_view name(Isa isa);

}  // namespace replication::codec
