// SPDX-License-Identifier: GPL-2.0-only
#include "policy/history.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.hpp"
#include "policy/record_line.hpp"

namespace roothammer::policy {
namespace {

using nlohmann::json;
using warmvm::Error;
using warmvm::StreamErrc;

constexpr std::size_t max_rejected_bytes = 64u << 10;
constexpr std::int64_t max_wall = 253402300799;                 // the end of the year 9999
constexpr std::int64_t max_uptime_ms = 100LL * 366 * 86400000;  // a hundred years
constexpr std::size_t max_boot_id = 64;
// Two readings of one clock, taken one after the other, and rounding to seconds.
constexpr std::int64_t wall_tolerance = 5;

std::int64_t integer(const json& object, const char* key, std::int64_t limit) {
    const auto& value = object.at(key);
    if (!value.is_number_integer()) throw Error(StreamErrc::bad_value, key);
    if (value.is_number_unsigned() && value.get<std::uint64_t>() > max_value) {
        throw Error(StreamErrc::bad_value, key);
    }
    const auto number = value.get<std::int64_t>();
    if (number < 0 || number > limit) throw Error(StreamErrc::bad_value, key);
    return number;
}

// What is wrong with its order and time; the boots that have ended are in closed.
std::string fault_of(const Sample& sample, History& history, const std::set<std::string>& closed,
                     const Moment& now) {
    const auto& moment = sample.moment;
    const bool is_now = moment.boot == now.boot;
    if (is_now && moment.uptime > now.uptime) return "from the future of this boot";
    if (!is_now && moment.wall > now.wall + wall_tolerance) {
        history.from_the_future = true;
        return "from the future";
    }
    if (closed.contains(moment.boot)) return "its boot has ended before";
    if (!history.samples.empty() && history.samples.back().moment.boot == moment.boot &&
        history.samples.back().moment.uptime >= moment.uptime) {
        return "not later than the one before";
    }
    return {};
}

}  // namespace

std::string to_json(const Sample& sample) {
    json object{{"boot", sample.moment.boot},
                {"uptime_ms", sample.moment.uptime.count()},
                {"wall", sample.moment.wall}};
    if (sample.clock_stepped) object["clock_stepped"] = true;
    for (std::size_t i = 0; i < value_names.size(); ++i) {
        if (const auto& value = sample.values.all.at(i))
            object[std::string(value_names.at(i))] = *value;
    }
    return object.dump(-1, ' ', true, json::error_handler_t::replace);
}

Sample parse_sample(std::string_view text) {
    try {
        const auto object = json::parse(text);
        Sample sample;
        sample.moment.boot = object.at("boot").get<std::string>();
        if (sample.moment.boot.empty() || sample.moment.boot.size() > max_boot_id) {
            throw Error(StreamErrc::bad_value, "boot");
        }
        sample.moment.uptime =
            std::chrono::milliseconds(integer(object, "uptime_ms", max_uptime_ms));
        sample.moment.wall = integer(object, "wall", max_wall);
        if (object.contains("clock_stepped")) {
            sample.clock_stepped = object.at("clock_stepped").get<bool>();
        }
        for (std::size_t i = 0; i < value_names.size(); ++i) {
            const std::string name(value_names.at(i));
            if (!object.contains(name)) continue;
            sample.values.all.at(i) = static_cast<std::uint64_t>(
                integer(object, name.c_str(), static_cast<std::int64_t>(max_value)));
        }
        return sample;
    } catch (const json::exception& error) {
        throw Error(StreamErrc::bad_value, error.what());
    }
}

History parse_history(std::string_view text, const Moment& now) {
    History history;
    std::set<std::string> closed;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const auto end = text.find('\n');
        const auto line = text.substr(0, end);
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
        const auto reject = [&](std::string reason) {
            history.rejected.push_back(
                {number, std::move(reason), std::string(line.substr(0, max_record_line))});
        };
        // Its end is the last thing written: without it the rest may be another line's.
        if (end == std::string_view::npos) {
            reject("cut short");
            break;
        }
        try {
            auto sample = parse_sample(unseal(line));
            if (auto fault = fault_of(sample, history, closed, now); !fault.empty()) {
                reject(std::move(fault));
                continue;
            }
            if (!history.samples.empty() &&
                history.samples.back().moment.boot != sample.moment.boot) {
                closed.insert(history.samples.back().moment.boot);
            }
            history.samples.push_back(std::move(sample));
        } catch (const Error& error) {
            reject(error.what());
        }
    }
    return history;
}

std::string to_text(std::span<const Sample> samples) {
    std::string text;
    for (const auto& sample : samples) text += seal(to_json(sample));
    return text;
}

std::string to_text(std::span<const Rejected> rejected) {
    std::string text;
    for (const auto& one : rejected) {
        const auto entry =
            "# line " + std::to_string(one.line) + ": " + one.reason + "\n" + one.text + "\n";
        if (text.size() + entry.size() > max_rejected_bytes) break;
        text += entry;
    }
    return text;
}

}  // namespace roothammer::policy
