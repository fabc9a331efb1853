// SPDX-License-Identifier: GPL-2.0-only
// Guests that a freeze has touched, and what else it has changed, put back as they were.
#pragma once

#include <string>
#include <vector>

#include "host/host.hpp"
#include "host/plan.hpp"

namespace roothammer {

// Releases the guest's set if it has one, cancels a suspend request that it has not taken up, and
// lets it run. A guest that took a request up is waited for and woken; false if it has not
// suspended within the limit and may yet do so.
bool put_back(const Host& host, const PlannedGuest& guest);

// Puts every guest of the plan and of any local set back, disarms, unloads the image and brings
// dom0's services back. Can be run at any time and again. Returns the names of the guests for
// which put_back() was false.
std::vector<std::string> recover(const Host& host, const std::string& why);

}  // namespace roothammer
