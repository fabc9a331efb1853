// SPDX-License-Identifier: GPL-2.0-only
// What a reboot costs a guest, by the model of RootHammer (Kourai & Chiba, IEEE TDSC 8(6), 2011,
// sections 3.2 and 4.5). Seconds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace roothammer::policy {

// Where a number of the model comes from.
enum class Origin { paper, assumed, measured };
std::string_view name(Origin origin);

// slope * n + constant for n guests, never below 0.
struct LinearTime {
    double slope = 0;
    double constant = 0;
    Origin origin = Origin::paper;
    [[nodiscard]] double operator()(double guests) const;
};

// The defaults are what the paper measured on its machine (2.8 GHz Opterons, 12 GB, 1 to 11
// guests).
struct CostModel {
    LinearTime reboot_vmm{-0.55, 43, Origin::paper};  // quick reload, new dom0
    LinearTime resume{0.43, -0.07, Origin::paper};
    LinearTime reboot_os{3.8, 13, Origin::paper};  // n guests shut down and booted at once
    LinearTime reset_hw{0, 47, Origin::paper};
    // How far the guests' own rejuvenation interval has gone when the host's comes, 0 to 1: a cold
    // reboot of the host spares the guests that much of their next one.
    double alpha = 0.5;
};

struct Cost {
    std::uint64_t guests = 0;
    double warm = 0;   // d_w(n) = reboot_vmm(n) + resume(n)
    double cold = 0;   // d_c(n) = reset_hw + reboot_vmm(0) + reboot_os(n) - alpha reboot_os(1)
    double saved = 0;  // r(n) = d_c(n) - d_w(n)
};
Cost cost_of(const CostModel& model, std::uint64_t guests);

// The last warm reboot of this host: the longest blackout of a guest, measured.
struct LastReboot {
    std::uint64_t guests = 0;
    double blackout = 0;
};

// The longer of model and measurement: what a window must have room for.
double expected_downtime(const Cost& cost, const std::optional<LastReboot>& last);

}  // namespace roothammer::policy
