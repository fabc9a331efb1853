// SPDX-License-Identifier: GPL-2.0-only
#include "policy/cost.hpp"

#include <algorithm>

namespace roothammer::policy {

std::string_view name(Origin origin) {
    switch (origin) {
        case Origin::paper:
            return "paper";
        case Origin::assumed:
            return "assumed";
        case Origin::measured:
            return "measured";
    }
    return "";
}

double LinearTime::operator()(double guests) const {
    return std::max(0.0, slope * guests + constant);
}

Cost cost_of(const CostModel& model, std::uint64_t guests) {
    const auto n = static_cast<double>(guests);
    Cost cost;
    cost.guests = guests;
    cost.warm = model.reboot_vmm(n) + model.resume(n);
    cost.cold = model.reset_hw(n) + model.reboot_vmm(0) +
                (guests ? model.reboot_os(n) - model.alpha * model.reboot_os(1) : 0);
    cost.saved = cost.cold - cost.warm;
    return cost;
}

double expected_downtime(const Cost& cost, const std::optional<LastReboot>& last) {
    return std::max(cost.warm, last ? last->blackout : 0);
}

}  // namespace roothammer::policy
