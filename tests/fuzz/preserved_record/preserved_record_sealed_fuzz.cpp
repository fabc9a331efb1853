// SPDX-License-Identifier: GPL-2.0-only
// With every checksum made right first: what is behind them.
#include "harness.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    record_test::fuzz_record(data, size, true);
    return 0;
}
