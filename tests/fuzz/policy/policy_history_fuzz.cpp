// SPDX-License-Identifier: GPL-2.0-only
// The history and the record of tries: as they are, and with each line's JSON sealed anew, so that
// the checksum does not keep the fuzzer out.
#include <chrono>

#include "harness.hpp"
#include "policy/assess.hpp"
#include "policy/record_line.hpp"
#include "policy/tries.hpp"

namespace {

namespace policy = roothammer::policy;

const policy::Moment now{"11111111-2222-3333-4444-555555555555", std::chrono::hours(1000),
                         1800000000};

std::string sealed_lines(std::string_view text) {
    std::string sealed;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        sealed += policy::seal(text.substr(0, end));
        text = text.substr(std::min(end + 1, text.size()));
    }
    return sealed;
}

// What was accepted is in order, is written back as it was read, and can be judged.
void check(std::string_view text) {
    auto history = policy::parse_history(text, now);
    (void)policy::to_text(history.rejected);
    const auto again = policy::parse_history(policy::to_text(history.samples), now);
    must(again.samples == history.samples && again.rejected.empty());
    policy::Sample last;
    last.moment = now;
    last.moment.uptime += std::chrono::seconds(1);
    history.samples.push_back(last);
    (void)policy::assess(history.samples, {});
    try {
        const auto tries = policy::parse_tries(text);
        must(policy::parse_tries(policy::to_text(tries)).failures == tries.failures);
        (void)policy::settle(tries, now, 1);
    } catch (const warmvm::Error&) {
    }
}

}  // namespace

FUZZ_BYTES(bytes) {
    check(as_text(bytes));
    check(sealed_lines(as_text(bytes)));
}
