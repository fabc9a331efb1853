// SPDX-License-Identifier: GPL-2.0-only
#include "host/plan.hpp"

#include "harness.hpp"

FUZZ_BYTES(bytes) {
    const auto plan = roothammer::parse_plan(as_text(bytes));
    const auto text = roothammer::to_json(plan);
    must(roothammer::to_json(roothammer::parse_plan(text)) == text);
}
