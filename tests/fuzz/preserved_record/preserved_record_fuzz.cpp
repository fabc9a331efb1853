// SPDX-License-Identifier: GPL-2.0-only
// The record as it was found: the checksums stop nearly everything.
#include "harness.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    record_test::fuzz_record(data, size, false);
    return 0;
}
