// SPDX-License-Identifier: GPL-2.0-only
#include "xen/preserved_memory.hpp"

#include <array>
#include <cstdio>

namespace warmvm {
namespace {

struct ReasonText {
    Reason reason;
    std::string_view words;
    std::string_view mend;
    std::string_view where;  // what Refusal::where is, empty if it means nothing
};

constexpr std::array reason_texts{
    ReasonText{Reason::none, "no reason given", "", ""},
    ReasonText{Reason::no_range, "no range of memory is reserved for a warm boot",
               "boot Xen with liveupdate=<size>M@<start> on its command line, once, the cold way",
               ""},
    ReasonText{Reason::no_image, "no kexec image of type live-update is loaded",
               "load one with kexec --load-live-update, or let xl-warm-reboot do it", ""},
    ReasonText{Reason::image_changed, "the loaded kexec image is not what was loaded",
               "load it again; if it happens twice, suspect the host's memory", ""},
    ReasonText{Reason::not_a_guest, "it is the control domain or a domain of Xen's own", "", ""},
    ReasonText{Reason::dying, "it is being destroyed", "wait until it is gone", ""},
    ReasonText{Reason::not_suspended, "it is not suspended", "", ""},
    ReasonText{Reason::passthrough, "a device is passed through to it",
               "detach the device (xl pci-detach) or shut the guest down", ""},
    ReasonText{Reason::log_dirty, "it is in log-dirty mode (being migrated or replicated)",
               "wait for the migration to end, or stop it", ""},
    ReasonText{Reason::mem_feature,
               "it uses memory sharing, paging, access control, altp2m or nested virtualisation",
               "switch that off for the guest, or shut it down", ""},
    ReasonText{Reason::frame_type, "a frame of it is of a kind that cannot be carried",
               "shut the guest down", "gfn"},
    ReasonText{Reason::frame_range, "a frame of it lies where the next boot will live",
               "shut the guest down and start it again: it gets other frames", "mfn"},
    ReasonText{Reason::partial_type, "a page table of it is half validated", "try again", "mfn"},
    ReasonText{Reason::no_memory, "Xen has too little free memory for its record",
               "free some memory: shrink or shut down a guest", ""},
    ReasonText{Reason::state, "the set is not in the state this needs", "", ""},
    ReasonText{Reason::no_blob, "a set has no state blob", "", "set"},
    ReasonText{Reason::mismatch,
               "the new domain is of another type, has memory already, or may have too little", "",
               ""},
    ReasonText{Reason::frames_out, "an earlier try's domain still holds frames",
               "wait until that domain is gone and try again", ""},
    ReasonText{Reason::token, "the token is zero", "", ""},
    ReasonText{Reason::changed, "a guest's memory changed after it was preserved", "try again",
               "set"},
    ReasonText{Reason::magic, "its record has the wrong magic number", "", ""},
    ReasonText{Reason::version, "its record is of an unknown version", "", ""},
    ReasonText{Reason::length, "its record has an impossible length", "", ""},
    ReasonText{Reason::checksum, "its record's checksum differs", "", ""},
    ReasonText{Reason::encoding, "its record cannot be decoded", "", ""},
    ReasonText{Reason::overlap, "its record lists a frame twice", "", "mfn"},
    ReasonText{Reason::not_ram, "its record lists a frame outside RAM", "", "mfn"},
};

const ReasonText* find(Reason reason) {
    for (const auto& text : reason_texts) {
        if (text.reason == reason) return &text;
    }
    return nullptr;
}

}  // namespace

std::string_view describe(Reason reason) {
    const auto* text = find(reason);
    return text ? text->words : "for a reason this program does not know";
}

std::string_view mend(Reason reason) {
    const auto* text = find(reason);
    return text ? text->mend : "";
}

std::string_view describe(SetState state) {
    switch (state) {
        case SetState::local:
            return "frozen";
        case SetState::inherited:
            return "preserved";
        case SetState::adopted:
            return "adopted";
        case SetState::unreadable:
            return "unreadable";
    }
    return "unknown";
}

std::string Refusal::str() const {
    std::string words(describe(reason));
    const auto* text = find(reason);
    if (!text) words += " (" + std::to_string(static_cast<std::uint32_t>(reason)) + ")";
    if (text && !text->where.empty()) {
        std::array<char, 32> number{};
        std::snprintf(number.data(), number.size(), " %#llx)",
                      static_cast<unsigned long long>(where));
        words += " (" + std::string(text->where) + number.data();
    }
    return words;
}

PreservedError::PreservedError(std::error_code code, Refusal refusal, const std::string& what)
    : Error(code, refusal.reason == Reason::none ? what : what + ": " + refusal.str()),
      refusal_(refusal) {}

}  // namespace warmvm
