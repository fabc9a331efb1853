// SPDX-License-Identifier: GPL-2.0-only
// What the kernel and xl-warm-reboot say. The first octet is xl-warm-reboot's exit status.
#include "harness.hpp"
#include "policy/preflight_output.hpp"
#include "policy/proc_files.hpp"
#include "policy/sample.hpp"

FUZZ_BYTES(bytes) {
    namespace policy = roothammer::policy;
    if (bytes.empty()) return;
    const auto status = std::to_integer<int>(bytes.front());
    const auto text = as_text(bytes.subspan(1));
    const auto result = policy::read_result(status, std::string(text));
    must((result.kind == policy::CommandResult::Kind::ok) == (status == 0));
    must(result.why.find('\n') == std::string::npos);
    policy::KernelLog log(5);
    log.add(text);
    must(log.next() >= 5 && log.next() <= policy::max_value);
    if (const auto value = policy::field_in_kib(text, "VmRSS")) must(*value <= policy::max_value);
}
