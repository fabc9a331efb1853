// SPDX-License-Identifier: GPL-2.0-only
#include "policy/gates.hpp"

#include <algorithm>
#include <cmath>

#include "policy/units.hpp"

namespace roothammer::policy {
namespace {

using std::chrono::seconds;

// dom0's services are stopped before the first guest is.
constexpr seconds stopping{300};

Gate doubt(std::string line) {
    return {Decision::doubt, std::move(line)};
}
Gate wait(std::string line) {
    return {Decision::waiting, std::move(line)};
}

std::optional<Gate> clock_gate(std::span<const Sample> samples, const Config& config) {
    const auto& now = samples.back().moment;
    std::size_t of_this_boot = 0;
    for (const auto& sample : samples) {
        if (sample.moment.boot != now.boot) continue;
        ++of_this_boot;
        const auto ago = now.uptime - sample.moment.uptime;
        if (sample.clock_stepped && ago < config.clock_settle) {
            return doubt("the clock was set " + in_words(ago) + " ago; it must run evenly for " +
                         in_words(config.clock_settle));
        }
    }
    if (of_this_boot < 2) {
        return doubt("the clock has not been watched yet in this boot; the next run will tell");
    }
    return std::nullopt;
}

std::optional<Gate> tries_gate(const Tries& tries, const Moment& now, const Config& config) {
    if (tries.stage == Tries::Stage::idle) return std::nullopt;
    const auto failed = std::to_string(tries.failures) + " failed " +
                        (tries.failures == 1 ? "try" : "tries") + " (" + tries.why + ")";
    if (tries.failures >= config.max_tries) {
        return doubt(failed + "; see why, then run `roothammer policy --reset`");
    }
    const auto ago = time_since(tries, now);
    const auto pause = back_off(tries.failures, config.retry_after);
    if (ago >= pause) return std::nullopt;
    return wait(failed + ", the last " + in_words(ago) + " ago; the next is after " +
                in_words(pause));
}

}  // namespace

std::optional<Gate> find_window_gate(const GateInput& input, const Config& config,
                                     std::int64_t wall) {
    if (config.windows.empty()) return wait("no maintenance window is configured");
    const auto needed = seconds(static_cast<std::int64_t>(std::ceil(input.downtime))) + stopping;
    const auto left = open_for(config.windows, wall, needed, input.local);
    if (left >= needed) return std::nullopt;
    if (left.count() > 0) {
        return wait("the maintenance window closes in " + in_words(left) +
                    " and the reboot needs " + in_words(needed));
    }
    const auto next = next_opening(config.windows, wall, input.local);
    return wait("outside the maintenance window; the next opens " +
                (next ? "on " + input.local_text(*next) : std::string("in more than two weeks")));
}

std::optional<Gate> find_gate(const GateInput& input, const Config& config) {
    const auto& now = input.samples.back().moment;
    if (auto gate = clock_gate(input.samples, config)) return gate;
    if (auto gate = tries_gate(input.tries, now, config)) return gate;
    if (now.uptime < config.min_uptime) {
        return wait("this boot is only " + in_words(now.uptime) + " old, of " +
                    in_words(config.min_uptime) + " between two reboots");
    }
    if (config.max_downtime.count() > 0 &&
        input.downtime > static_cast<double>(config.max_downtime.count())) {
        return wait("the reboot would cost " + in_words(input.downtime) + ", of " +
                    in_words(config.max_downtime) + " allowed");
    }
    return find_window_gate(input, config, now.wall);
}

}  // namespace roothammer::policy
