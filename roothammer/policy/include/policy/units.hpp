// SPDX-License-Identifier: GPL-2.0-only
// Times and sizes for people: two significant digits do.
#pragma once

#include <chrono>
#include <string>

namespace roothammer::policy {

std::string in_words(double seconds);  // "45 s", "3.5 hours", "12 days"
std::string in_words(std::chrono::milliseconds time);
std::string in_bytes(double bytes);  // "512 MiB"; negative too
std::string rounded(double number);  // "42", "0.018"

}  // namespace roothammer::policy
