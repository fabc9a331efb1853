// SPDX-License-Identifier: GPL-2.0-only
#include "harness.hpp"
#include "policy/config.hpp"

FUZZ_BYTES(bytes) {
    roothammer::policy::Config config;
    try {
        config = roothammer::policy::parse_config(as_text(bytes), "fuzz");
    } catch (const roothammer::policy::ConfigError&) {
        return;
    }
    must(config.min_samples >= 20 && config.min_samples <= config.history_samples);
    must(config.history_samples <= 4032);
    must(config.min_uptime.count() >= 60 && config.retry_after.count() >= 60);
    must(config.significance > 0 && config.significance <= 0.5);
    for (const auto& window : config.windows) {
        must(window.from >= 0 && window.from < roothammer::policy::minutes_a_day);
        must(window.to >= 0 && window.to <= roothammer::policy::minutes_a_day);
    }
    (void)roothammer::policy::cost_of(config.model, 1000);
}
