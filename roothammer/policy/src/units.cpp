// SPDX-License-Identifier: GPL-2.0-only
#include "policy/units.hpp"

#include <array>
#include <cmath>
#include <cstdio>

namespace roothammer::policy {
namespace {

struct Unit {
    double size;
    const char* name;
};

// The unit is the largest of which it is two or more; the smallest otherwise.
template <std::size_t n>
std::string scaled(double number, const std::array<Unit, n>& units) {
    const auto* unit = &units.back();
    for (const auto& candidate : units) {
        if (std::abs(number) < 2 * candidate.size) continue;
        unit = &candidate;
        break;
    }
    return rounded(number / unit->size) + " " + unit->name;
}

}  // namespace

std::string rounded(double number) {
    std::array<char, 48> text{};
    // From 10 on it is a whole number: %g would write 120 as 1.2e+02.
    const char* format = std::abs(number) >= 10 ? "%.0f" : "%.2g";
    std::snprintf(text.data(), text.size(), format, number);
    return text.data();
}

std::string in_words(double seconds) {
    static constexpr std::array units{Unit{365.25 * 86400, "years"}, Unit{7 * 86400, "weeks"},
                                      Unit{86400, "days"},           Unit{3600, "hours"},
                                      Unit{60, "minutes"},           Unit{1, "s"}};
    return scaled(seconds, units);
}

std::string in_words(std::chrono::milliseconds time) {
    return in_words(static_cast<double>(time.count()) / 1000);
}

std::string in_bytes(double bytes) {
    static constexpr std::array units{Unit{1024.0 * 1024 * 1024, "GiB"}, Unit{1024.0 * 1024, "MiB"},
                                      Unit{1024, "KiB"}, Unit{1, "bytes"}};
    return scaled(bytes, units);
}

}  // namespace roothammer::policy
