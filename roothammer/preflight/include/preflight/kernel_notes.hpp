// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <optional>

#include "base/bytes.hpp"

namespace roothammer {

// Whether a kernel has the entry that Xen starts a PVH dom0 by (the note XEN_ELFNOTE_PHYS32_ENTRY);
// nullopt if it is no ELF file, so that nothing is known. Throws warmvm::Error of stream_category
// if its headers are cut.
std::optional<bool> starts_as_pvh(warmvm::ByteView kernel);

}  // namespace roothammer
