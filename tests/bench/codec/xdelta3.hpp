// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <memory>

#include "coder.hpp"

namespace replication::bench {

// The xdelta3 program as a peer (Debian has no library of it): epoch and old pages as two files in
// memory, the process's own CPU time as its cost, its start included. Null if it is not installed.
std::unique_ptr<Coder> make_xdelta3();

}  // namespace replication::bench
