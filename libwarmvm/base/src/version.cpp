// SPDX-License-Identifier: GPL-2.0-only
#include "base/version.hpp"

namespace warmvm {

std::string_view version() {
    return WARMVM_VERSION;
}

}  // namespace warmvm
