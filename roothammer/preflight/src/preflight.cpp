// SPDX-License-Identifier: GPL-2.0-only
#include "preflight/preflight.hpp"

#include "checks.hpp"

namespace roothammer {

void Checked::ok(std::string subject, std::string text) {
    report.findings.push_back({Verdict::ok, std::move(subject), std::move(text), {}, false});
}

void Checked::note(std::string subject, std::string text) {
    report.findings.push_back({Verdict::note, std::move(subject), std::move(text), {}, false});
}

void Checked::refuse(std::string subject, std::string text, std::string mend, bool about_guest) {
    report.findings.push_back(
        {Verdict::refused, std::move(subject), std::move(text), std::move(mend), about_guest});
}

std::string in_mib(std::uint64_t bytes) {
    constexpr std::uint64_t mib = 1u << 20;
    return std::to_string((bytes + mib - 1) / mib) + " MiB";
}

Report preflight(const Host& host, const Images& images, OnGuestFailure policy) {
    Checked checked(host, images);
    if (check_hypervisor(checked)) {
        check_images(checked);
        check_memory(checked);
        check_preserved(checked);
        check_guests(checked, policy);
    }
    return std::move(checked.report);
}

}  // namespace roothammer
