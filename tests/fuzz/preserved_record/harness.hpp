// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstddef>
#include <cstdint>

namespace record_test {

// Reads what the input says physical memory holds, as boot.c would. Traps on anything it must not
// do. An input is a list of pieces, so that a record's image, mostly zeros, is short:
//
//     +------+----------------+--------+----------+
//     | page | offset (2, le) | length | octets   |  ...
//     +------+----------------+--------+----------+
//
// Page 0 is the breadcrumb's; page n is mfn first_mfn + n. Page and offset wrap.
void fuzz_record(const std::uint8_t* data, std::size_t size, bool sealed);

inline constexpr std::uint64_t first_mfn = 0x100;
inline constexpr std::uint64_t nr_pages = 48;

}  // namespace record_test
