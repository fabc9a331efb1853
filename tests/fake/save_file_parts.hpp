// SPDX-License-Identifier: GPL-2.0-only
// What xl and libxl write around a guest's image.
#pragma once

#include <string>

#include "base/bytes.hpp"
#include "xen/types.hpp"

namespace fake {

warmvm::Bytes save_file_prefix(const std::string& name, const warmvm::Uuid& uuid,
                               warmvm::GuestKind kind = warmvm::GuestKind::pvh);
warmvm::Bytes save_file_suffix();

}  // namespace fake
