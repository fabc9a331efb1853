// SPDX-License-Identifier: GPL-2.0-only
#include "preflight/other_hands.hpp"

namespace roothammer {
namespace {

constexpr const char* until_it_ends = "wait until that has ended";

}  // namespace

std::optional<OtherHands> in_other_hands(const warmvm::DomainInfo& info) {
    using warmvm::ShutdownReason;
    if (info.is_suspended()) {
        return OtherHands{
            "it is suspended, and not by a warm reboot: a save, a migration or a "
            "snapshot of it is under way",
            until_it_ends};
    }
    if (info.shutdown == ShutdownReason::poweroff || info.shutdown == ShutdownReason::reboot) {
        return OtherHands{"it has shut down, and its domain is still there",
                          "try again in a moment; if it stays it is kept on purpose (on_poweroff, "
                          "on_reboot): xl destroy it once nobody needs what is kept"};
    }
    if (info.shutdown) {
        return OtherHands{"it has crashed, and is kept as it is (on_crash)",
                          "xl destroy it once nobody needs what is kept; xl dump-core writes that "
                          "to a file"};
    }
    if (info.paused) {
        return OtherHands{
            "it is paused",
            "wait until whoever has paused it is done; if nothing is at work on it, xl "
            "unpause it"};
    }
    return std::nullopt;
}

std::optional<OtherHands> in_migration(std::string_view name) {
    if (name.ends_with("--incoming") || name.ends_with("--migratedaway")) {
        return OtherHands{"it is being migrated", "wait for the migration to end"};
    }
    return std::nullopt;
}

std::optional<OtherHands> asked_by_others(warmvm::Store& store, warmvm::DomId domain) {
    const auto node = warmvm::domain_path(domain, "control/shutdown");
    if (store.read(node).value_or("") != "suspend") return std::nullopt;
    return OtherHands{
        "somebody else has asked it to suspend",
        std::string(until_it_ends) +
            "; if nothing is at work on it, the request was left over: xenstore-write " + node +
            " ''"};
}

std::optional<OtherHands> in_log_dirty_mode(const CheckVerdict& verdict) {
    const auto* const refusal = std::get_if<warmvm::Refusal>(&verdict);
    if (refusal == nullptr || refusal->reason != warmvm::Reason::log_dirty) return std::nullopt;
    return OtherHands{refusal->str(), std::string(mend(refusal->reason))};
}

}  // namespace roothammer
