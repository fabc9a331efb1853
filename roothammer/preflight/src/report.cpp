// SPDX-License-Identifier: GPL-2.0-only
#include "preflight/report.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace roothammer {
namespace {

using nlohmann::json;

const char* name(Verdict verdict) {
    switch (verdict) {
        case Verdict::ok:
            return "ok";
        case Verdict::note:
            return "note";
        case Verdict::refused:
            return "refused";
    }
    return "";
}

}  // namespace

bool Report::refused() const {
    return std::ranges::any_of(
        findings, [](const auto& finding) { return finding.verdict == Verdict::refused; });
}

bool Report::host_refused() const {
    return std::ranges::any_of(findings, [](const auto& finding) {
        return finding.verdict == Verdict::refused && !finding.about_guest;
    });
}

std::string to_json(const Report& report) {
    json findings = json::array();
    for (const auto& finding : report.findings) {
        findings.push_back({{"verdict", name(finding.verdict)},
                            {"subject", finding.subject},
                            {"text", finding.text},
                            {"mend", finding.mend},
                            {"guest", finding.about_guest}});
    }
    json room = json::array();
    for (const auto& item : report.room)
        room.push_back({{"what", item.what}, {"bytes", item.bytes}});
    json guests = json::array();
    for (const auto& guest : report.guests) {
        guests.push_back({{"name", guest.name},
                          {"domid", guest.domid.value()},
                          {"uuid", guest.uuid.str()},
                          {"fit", guest.fit}});
    }
    const json object{{"refused", report.refused()},
                      {"findings", findings},
                      {"room", room},
                      {"room_needed", report.room_needed},
                      {"room_reserved", report.room_reserved},
                      {"guests", guests}};
    return object.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

std::string to_text(const Report& report) {
    std::string text;
    for (const auto& finding : report.findings) {
        text += std::string(name(finding.verdict)) + ": " + finding.subject + ": " + finding.text;
        if (!finding.mend.empty()) text += "\n    mend: " + finding.mend;
        text += "\n";
    }
    if (!report.room.empty()) {
        text += "room in the reserved range, KiB:\n";
        for (const auto& item : report.room) {
            text += "    " + std::to_string((item.bytes + 1023) / 1024) + "  " + item.what + "\n";
        }
    }
    return text;
}

}  // namespace roothammer
