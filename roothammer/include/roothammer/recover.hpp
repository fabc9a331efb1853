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

// Guests that took a suspend request up and had not suspended when recover() gave up waiting.
struct Recovered {
    std::vector<std::string> may_suspend;  // and run until then
    // By a late answer, or by another program that makes a copy of it: nothing tells which.
    std::vector<std::string> suspended;
};

// Puts every guest back that the freeze of this boot's plan has suspended or preserved, disarms,
// unloads the image and brings dom0's services back. Can be run at any time and again. A guest that
// something else has suspended is left alone; `names` are of guests for which the caller knows that
// it was a late answer. Throws Error (invalid_argument), before it does anything, if a name is of
// no guest that may be one.
Recovered recover(const Host& host, const std::string& why,
                  const std::vector<std::string>& names = {});
// Says of each of these guests what is the matter and the way out.
void log_left_open(const Recovered& left);

}  // namespace roothammer
