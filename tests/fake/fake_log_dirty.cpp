// SPDX-License-Identifier: GPL-2.0-only
#include "fake_ports.hpp"

#include <algorithm>
#include <utility>

namespace fake {

std::uint64_t LogDirty::frames(DomId domain) {
    step("frames");
    const auto& target = get(domain);
    // Linux's p2m has room for memory that is plugged in later.
    if (target.is_pv()) return std::uint64_t{1} << 27;
    return target.frames.empty() ? 0 : target.frames.rbegin()->first + 1;
}

bool LogDirty::enable(DomId domain) {
    step("enable log-dirty");
    auto& target = get(domain);
    if (target.log_dirty || target.passed_through_device) return false;
    target.log_dirty = true;
    target.dirty.clear();
    return true;
}

void LogDirty::disable(DomId domain) {
    step("disable log-dirty");
    get(domain).log_dirty = false;
}

void LogDirty::take(DomId domain, std::span<std::uint64_t> written) {
    step("take log-dirty");
    auto& target = get(domain);
    if (!target.log_dirty) broken_rule("the log of a domain that has none");
    std::ranges::fill(written, 0);
    for (const auto page : std::exchange(target.dirty, {})) {
        if (page / 64 < written.size()) written[page / 64] |= std::uint64_t{1} << page % 64;
    }
}

}  // namespace fake
