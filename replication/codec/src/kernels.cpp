// SPDX-License-Identifier: GPL-2.0-only
#include "kernels.hpp"

namespace replication::codec {

// __builtin_cpu_supports also asks the operating system (XGETBV) whether it saves the registers.
std::vector<Isa> available_isas() {
    std::vector<Isa> isas;
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2") &&
        __builtin_cpu_supports("avx512bitalg") && __builtin_cpu_supports("bmi2"))
        isas.push_back(Isa::avx512);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2")) isas.push_back(Isa::avx2);
    isas.push_back(Isa::scalar);
    return isas;
}

std::string_view name(Isa isa) {
    switch (isa) {
        case Isa::avx512:
            return "avx512";
        case Isa::avx2:
            return "avx2";
        case Isa::scalar:
            break;
    }
    return "scalar";
}

const Kernels& kernels(Isa isa) {
    switch (isa) {
        case Isa::avx512:
            return avx512_kernels;
        case Isa::avx2:
            return avx2_kernels;
        case Isa::scalar:
            break;
    }
    return scalar_kernels;
}

}  // namespace replication::codec
