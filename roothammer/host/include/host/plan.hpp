// SPDX-License-Identifier: GPL-2.0-only
// What one warm reboot is about to do and how far it has come, in a file: whoever finds it after a
// crash can put every guest back.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "xen/domain_control.hpp"

namespace roothammer {

enum class Stage { prepared, freezing, armed, aborted };
// unanswered: it took a suspend request up, and had not suspended when it was waited for no longer.
enum class GuestStage { running, suspending, frozen, shut_down, put_back, unanswered };
enum class OnGuestFailure { abort, shutdown };

std::string_view name(Stage stage);
std::string_view name(GuestStage stage);
std::string_view name(OnGuestFailure policy);
std::optional<OnGuestFailure> parse_on_guest_failure(std::string_view text);

struct PlannedGuest {
    warmvm::DomId domid;
    std::string name;
    warmvm::Uuid uuid;
    GuestStage stage = GuestStage::running;
    bool fit = true;   // to be frozen; if not, it is given up without a try
    std::string note;  // why it is not frozen, for people
};

// Of its domain; nullopt: that is dying or gone, or another has its number.
std::optional<warmvm::DomainInfo> info_of(warmvm::DomainControl& domains,
                                          const PlannedGuest& guest);

struct Plan {
    std::uint64_t token{};  // of the kexec image; what ARM is given
    std::string boot_id;    // dom0's; a plan of another boot is history
    std::chrono::milliseconds timeout{};
    OnGuestFailure on_guest_failure = OnGuestFailure::abort;
    Stage stage = Stage::prepared;
    std::uint64_t tsc_start{};  // xl-warm-reboot began
    std::string error;          // aborted: why
    std::vector<PlannedGuest> guests;

    [[nodiscard]] bool is_under_way() const {
        return stage == Stage::prepared || stage == Stage::freezing || stage == Stage::armed;
    }
};

std::string to_json(const Plan& plan);
// Throws warmvm::Error of stream_category.
Plan parse_plan(std::string_view json);

// nullopt: no such file.
std::optional<Plan> load_plan(const std::filesystem::path& file);
// nullopt too: it is another boot's, or cannot be read.
std::optional<Plan> load_plan_of(const std::string& boot_id, const std::filesystem::path& file);
void store_plan(const std::filesystem::path& file, const Plan& plan);

}  // namespace roothammer
