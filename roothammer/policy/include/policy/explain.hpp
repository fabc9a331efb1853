// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <string>

#include "policy/run.hpp"

namespace roothammer::policy {

// One paragraph; and everything, as JSON.
std::string explain(const Outcome& outcome, const Config& config);
std::string to_json(const Outcome& outcome, const Config& config);

}  // namespace roothammer::policy
