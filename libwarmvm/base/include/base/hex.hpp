// SPDX-License-Identifier: GPL-2.0-only
// Hexadecimal digits, in lower case, as they are in files, command lines and messages.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.hpp"

namespace warmvm {

// Two digits an octet, in the order of the octets.
std::string hex(ByteView bytes);
// All sixteen digits.
std::string hex(std::uint64_t number);

}  // namespace warmvm
