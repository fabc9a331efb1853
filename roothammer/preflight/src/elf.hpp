// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <elf.h>

#include <algorithm>

#include "base/bytes.hpp"

namespace roothammer {

inline bool is_elf(warmvm::ByteView file) {
    return file.size() >= SELFMAG &&
           std::equal(file.begin(), file.begin() + SELFMAG, warmvm::as_byte_view(ELFMAG).begin());
}

}  // namespace roothammer
