// SPDX-License-Identifier: GPL-2.0-only
#include "roothammer/timeline.hpp"

#include "harness.hpp"

FUZZ_BYTES(bytes) {
    const auto timeline = roothammer::parse_timeline(as_text(bytes));
    (void)roothammer::to_table(timeline);
    const auto text = roothammer::to_json(timeline);
    must(roothammer::to_json(roothammer::parse_timeline(text)) == text);
}
