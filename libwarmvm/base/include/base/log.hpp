// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <functional>
#include <string>

namespace warmvm {

// One line on stderr behind the program's name, "event=WHAT guest=NAME ..." included: the tests
// read exactly these.
void log(const std::string& line);
// Where log() writes instead; empty: stderr again.
void set_log(std::function<void(const std::string&)> sink);

}  // namespace warmvm
