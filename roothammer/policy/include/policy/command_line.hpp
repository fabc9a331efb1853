// SPDX-License-Identifier: GPL-2.0-only
// `roothammer policy`: roothammer-policy(8).
#pragma once

namespace roothammer::policy {

// argv[0] is "policy". Returns the exit status.
int run_policy(int argc, const char* const* argv);

}  // namespace roothammer::policy
