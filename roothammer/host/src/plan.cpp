// SPDX-License-Identifier: GPL-2.0-only
#include "host/plan.hpp"

#include <array>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "base/hex.hpp"

namespace roothammer {
namespace {

using nlohmann::json;
using warmvm::Error;
using warmvm::hex;
using warmvm::StreamErrc;

constexpr int plan_version = 1;
constexpr std::array stage_names{std::string_view("prepared"), std::string_view("freezing"),
                                 std::string_view("armed"), std::string_view("aborted")};
constexpr std::array guest_stage_names{
    std::string_view("running"),   std::string_view("suspending"), std::string_view("frozen"),
    std::string_view("shut-down"), std::string_view("put-back"),   std::string_view("unanswered")};
constexpr std::array policy_names{std::string_view("abort"), std::string_view("shutdown")};

template <class Enum, std::size_t n>
std::optional<Enum> parse(const std::array<std::string_view, n>& names, std::string_view text) {
    for (std::size_t i = 0; i < n; ++i) {
        if (names.at(i) == text) return static_cast<Enum>(i);
    }
    return std::nullopt;
}

template <class Enum, std::size_t n>
Enum get_enum(const std::array<std::string_view, n>& names, const json& object, const char* key) {
    const auto value = parse<Enum>(names, object.at(key).get<std::string>());
    if (!value) throw Error(StreamErrc::bad_value, std::string("plan: ") + key);
    return *value;
}

Plan from_json(const json& object) {
    if (object.at("version").get<int>() != plan_version) {
        throw Error(StreamErrc::bad_version, "plan");
    }
    Plan plan;
    std::size_t used = 0;
    const auto token = object.at("token").get<std::string>();
    plan.token = std::stoull(token, &used, 16);
    if (used != token.size() || plan.token == 0) throw Error(StreamErrc::bad_value, "plan: token");
    plan.boot_id = object.at("boot_id").get<std::string>();
    plan.timeout = std::chrono::milliseconds(object.at("timeout_ms").get<std::int64_t>());
    plan.on_guest_failure = get_enum<OnGuestFailure>(policy_names, object, "on_guest_failure");
    plan.stage = get_enum<Stage>(stage_names, object, "stage");
    plan.tsc_start = object.at("tsc_start").get<std::uint64_t>();
    plan.error = object.at("error").get<std::string>();
    for (const auto& entry : object.at("guests")) {
        PlannedGuest guest;
        guest.domid = warmvm::DomId(entry.at("domid").get<std::uint32_t>());
        guest.name = entry.at("name").get<std::string>();
        const auto uuid = warmvm::Uuid::parse(entry.at("uuid").get<std::string>());
        if (!uuid) throw Error(StreamErrc::bad_value, "plan: uuid");
        guest.uuid = *uuid;
        guest.stage = get_enum<GuestStage>(guest_stage_names, entry, "stage");
        guest.note = entry.at("note").get<std::string>();
        // A program that wrote no such field took any note to say so.
        guest.fit = entry.value("fit", guest.note.empty());
        plan.guests.push_back(std::move(guest));
    }
    return plan;
}

}  // namespace

std::string_view name(Stage stage) {
    return stage_names.at(static_cast<std::size_t>(stage));
}
std::string_view name(GuestStage stage) {
    return guest_stage_names.at(static_cast<std::size_t>(stage));
}
std::string_view name(OnGuestFailure policy) {
    return policy_names.at(static_cast<std::size_t>(policy));
}
std::optional<OnGuestFailure> parse_on_guest_failure(std::string_view text) {
    return parse<OnGuestFailure>(policy_names, text);
}

std::optional<warmvm::DomainInfo> info_of(warmvm::DomainControl& domains,
                                          const PlannedGuest& guest) {
    auto info = domains.info(guest.domid);
    if (!info || info->dying || !(info->uuid == guest.uuid)) return std::nullopt;
    return info;
}

std::string to_json(const Plan& plan) {
    json guests = json::array();
    for (const auto& guest : plan.guests) {
        guests.push_back({{"domid", guest.domid.value()},
                          {"name", guest.name},
                          {"uuid", guest.uuid.str()},
                          {"stage", name(guest.stage)},
                          {"fit", guest.fit},
                          {"note", guest.note}});
    }
    const json object{{"version", plan_version},
                      {"token", hex(plan.token)},
                      {"boot_id", plan.boot_id},
                      {"timeout_ms", plan.timeout.count()},
                      {"on_guest_failure", name(plan.on_guest_failure)},
                      {"stage", name(plan.stage)},
                      {"tsc_start", plan.tsc_start},
                      {"error", plan.error},
                      {"guests", guests}};
    return object.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

Plan parse_plan(std::string_view text) {
    try {
        return from_json(json::parse(text));
    } catch (const json::exception& error) {
        throw Error(StreamErrc::bad_value, std::string("plan: ") + error.what());
    } catch (const std::logic_error& error) {  // stoull
        throw Error(StreamErrc::bad_value, std::string("plan: ") + error.what());
    }
}

std::optional<Plan> load_plan(const std::filesystem::path& file) {
    if (!std::filesystem::exists(file)) return std::nullopt;
    return parse_plan(warmvm::read_text_file(file));
}

std::optional<Plan> load_plan_of(const std::string& boot_id, const std::filesystem::path& file) {
    try {
        auto plan = load_plan(file);
        if (plan && plan->boot_id == boot_id) return plan;
    } catch (const Error& error) {
        if (error.code().category() != warmvm::stream_category()) throw;
    }
    return std::nullopt;
}

void store_plan(const std::filesystem::path& file, const Plan& plan) {
    std::filesystem::create_directories(file.parent_path());
    warmvm::replace_file(file, warmvm::as_byte_view(to_json(plan)));
}

}  // namespace roothammer
