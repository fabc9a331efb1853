// SPDX-License-Identifier: GPL-2.0-only
#include "policy/config.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <map>

namespace roothammer::policy {
namespace {

// A wrong value; the line is added by whoever knows it.
using Wrong = std::invalid_argument;

constexpr std::array decide_names{std::string_view("time"), std::string_view("trend"),
                                  std::string_view("both"), std::string_view("either")};

std::string quoted(std::string_view text) {
    return "'" + std::string(text) + "'";
}

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::vector<std::string_view> words_of(std::string_view text) {
    std::vector<std::string_view> words;
    for (text = trim(text); !text.empty(); text = trim(text)) {
        const auto end = std::min(text.find_first_of(" \t"), text.size());
        words.push_back(text.substr(0, end));
        text = text.substr(end);
    }
    return words;
}

// All digits of text; what follows them goes to rest.
std::uint64_t leading_number(std::string_view text, std::string_view& rest) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) throw Wrong(quoted(text) + " is no number, or too large a one");
    rest = text.substr(static_cast<std::size_t>(end - text.data()));
    return number;
}

// limit is most, in words.
std::uint64_t scaled(std::uint64_t number, std::uint64_t unit, std::uint64_t limit,
                     const std::string& most, std::string_view text) {
    if (number > limit / unit) throw Wrong(quoted(text) + " is too large: at most " + most);
    return number * unit;
}

std::uint64_t parse_count(std::string_view text) {
    std::string_view rest;
    const auto number = leading_number(text, rest);
    if (!rest.empty()) throw Wrong(quoted(text) + " is no whole number");
    return number;
}

double parse_real(std::string_view text) {
    double number = 0;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    constexpr double limit = 1e9;
    if (error != std::errc() || end != text.data() + text.size() || !(std::abs(number) < limit)) {
        throw Wrong(quoted(text) + " is no number");
    }
    return number;
}

std::chrono::seconds parse_duration(std::string_view text) {
    std::string_view unit;
    const auto number = leading_number(text, unit);
    static const std::map<std::string_view, std::uint64_t> units{
        {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {"w", 604800}};
    const auto found = units.find(unit);
    if (found == units.end()) {
        throw Wrong(quoted(text) + " is no time: a number and s, m, h, d or w");
    }
    constexpr std::uint64_t most_days = 10ULL * 366;
    return std::chrono::seconds(
        scaled(number, found->second, most_days * 86400, std::to_string(most_days) + "d", text));
}

std::uint64_t parse_size(std::string_view text) {
    std::string_view unit;
    const auto number = leading_number(text, unit);
    // Nobody means so many bytes, but who leaves the unit out may mean M.
    if (number == 0 && unit.empty()) return 0;
    static const std::map<std::string_view, std::uint64_t> units{
        {"K", 1u << 10}, {"M", 1u << 20}, {"G", 1u << 30}};
    const auto found = units.find(unit);
    if (found == units.end()) throw Wrong(quoted(text) + " is no size: a number and K, M or G");
    constexpr std::uint64_t most_gib = 1u << 20;
    return scaled(number, found->second, most_gib << 30, std::to_string(most_gib) + "G", text);
}

DecideBy parse_decide_by(std::string_view text) {
    const auto found = std::ranges::find(decide_names, text);
    if (found == decide_names.end()) {
        throw Wrong(quoted(text) + " is none of time, trend, both, either");
    }
    return static_cast<DecideBy>(found - decide_names.begin());
}

Origin parse_origin(std::string_view text) {
    if (text == "measured") return Origin::measured;
    if (text == "assumed") return Origin::assumed;
    throw Wrong(quoted(text) + " is neither measured nor assumed");
}

// "SLOPE CONSTANT ORIGIN"; a constant time has no slope.
LinearTime parse_linear(std::string_view text, bool has_slope) {
    const auto words = words_of(text);
    if (words.size() != (has_slope ? 3u : 2u)) {
        throw Wrong(has_slope ? "wanted: seconds a guest, seconds, and measured or assumed"
                              : "wanted: seconds, and measured or assumed");
    }
    LinearTime time;
    if (has_slope) time.slope = parse_real(words.front());
    time.constant = parse_real(words.at(words.size() - 2));
    time.origin = parse_origin(words.back());
    // A straight line through measured times may be below 0 for no guest or for very many.
    if (time.slope + time.constant < 0) throw Wrong(quoted(text) + " is less than 0 s for a guest");
    return time;
}

std::string in_text(std::uint64_t count) {
    return std::to_string(count);
}
std::string in_text(double number) {
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.begin(), text.end(), number, std::chars_format::fixed).ptr;
    return {text.begin(), end};
}
std::string in_text(std::chrono::seconds time) {
    constexpr auto day = std::chrono::seconds(std::chrono::days(1)).count();
    const bool days = time.count() % day == 0 && time.count() != 0;
    return days ? std::to_string(time.count() / day) + "d" : std::to_string(time.count()) + "s";
}

template <class T>
T within(T value, T low, T high, std::string_view text) {
    if (value >= low && value <= high) return value;
    throw Wrong(quoted(text) + " is out of range: " + in_text(low) + " to " + in_text(high));
}

std::chrono::seconds positive(std::string_view text) {
    const auto time = parse_duration(text);
    if (time.count() == 0) throw Wrong(quoted(text) + ": at least 1s is wanted");
    return time;
}

using Setter = std::function<void(Config&, std::string_view)>;

const std::map<std::string_view, Setter>& setters() {
    using Text = std::string_view;
    // Mann-Kendall's normal approximation wants ten points in each half.
    constexpr std::uint64_t fewest_samples = 20;
    constexpr std::uint64_t most_samples = 4032;
    static const std::map<std::string_view, Setter> all{
        {"decide-by", [](Config& c, Text t) { c.decide_by = parse_decide_by(t); }},
        {"interval", [](Config& c, Text t) { c.interval = positive(t); }},
        {"horizon", [](Config& c, Text t) { c.horizon = positive(t); }},
        {"significance",
         [](Config& c, Text t) { c.significance = within(parse_real(t), 1e-6, 0.5, t); }},
        {"min-samples",
         [](Config& c, Text t) {
             c.min_samples = within(parse_count(t), fewest_samples, most_samples, t);
         }},
        {"min-span", [](Config& c, Text t) { c.min_span = positive(t); }},
        {"history-samples",
         [](Config& c, Text t) {
             c.history_samples = within(parse_count(t), fewest_samples, most_samples, t);
         }},
        {"xen-reserve", [](Config& c, Text t) { c.xen_reserve = parse_size(t); }},
        {"dom0-reserve-percent",
         [](Config& c, Text t) { c.dom0_reserve_percent = within(parse_real(t), 0.0, 90.0, t); }},
        {"xenstored-limit", [](Config& c, Text t) { c.xenstored_limit = parse_size(t); }},
        {"out-of-memory-lines", [](Config& c, Text t) { c.out_of_memory_lines = parse_count(t); }},
        {"window", [](Config& c, Text t) { c.windows.push_back(parse_window(t)); }},
        {"min-uptime",
         [](Config& c, Text t) {
             c.min_uptime = within(parse_duration(t), std::chrono::seconds(60),
                                   std::chrono::seconds(std::chrono::days(366)), t);
         }},
        {"retry-after",
         [](Config& c, Text t) {
             c.retry_after = within(parse_duration(t), std::chrono::seconds(60),
                                    std::chrono::seconds(std::chrono::days(28)), t);
         }},
        {"max-tries",
         [](Config& c, Text t) { c.max_tries = within<std::uint64_t>(parse_count(t), 1, 10, t); }},
        {"clock-settle", [](Config& c, Text t) { c.clock_settle = positive(t); }},
        {"max-downtime", [](Config& c, Text t) { c.max_downtime = parse_duration(t); }},
        {"reboot-vmm", [](Config& c, Text t) { c.model.reboot_vmm = parse_linear(t, true); }},
        {"resume", [](Config& c, Text t) { c.model.resume = parse_linear(t, true); }},
        {"reboot-os", [](Config& c, Text t) { c.model.reboot_os = parse_linear(t, true); }},
        {"reset-hw", [](Config& c, Text t) { c.model.reset_hw = parse_linear(t, false); }},
        {"alpha", [](Config& c, Text t) { c.model.alpha = within(parse_real(t), 0.0, 1.0, t); }},
    };
    return all;
}

// The line of each name seen; a window may come often.
using Seen = std::map<std::string, std::size_t, std::less<>>;

void take_line(Config& config, std::string_view line, std::size_t number, Seen& seen) {
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) throw Wrong(quoted(line) + " is not NAME = VALUE");
    const auto name = trim(line.substr(0, equals));
    const auto value = trim(line.substr(equals + 1));
    const auto setter = setters().find(name);
    if (setter == setters().end()) throw Wrong("no setting is called " + quoted(name));
    if (value.empty()) throw Wrong(std::string(name) + " has no value");
    const auto [earlier, is_new] = seen.try_emplace(std::string(name), number);
    if (!is_new && name != "window") {
        throw Wrong(std::string(name) + " was set on line " + std::to_string(earlier->second));
    }
    try {
        setter->second(config, value);
    } catch (const Wrong& wrong) {
        throw Wrong(std::string(name) + ": " + wrong.what());
    }
}

[[noreturn]] void fail(const std::string& name, std::size_t number, const std::string& why) {
    throw ConfigError(name + ":" + std::to_string(number) + ": " + why);
}

}  // namespace

std::string_view name(DecideBy by) {
    return decide_names.at(static_cast<std::size_t>(by));
}

Config parse_config(std::string_view text, const std::string& name) {
    Config config;
    Seen seen;
    std::size_t number = 0;
    while (!text.empty()) {
        ++number;
        const auto end = std::min(text.find('\n'), text.size());
        const auto line = trim(text.substr(0, end));
        text = text.substr(std::min(end + 1, text.size()));
        if (line.empty() || line.front() == '#') continue;
        try {
            take_line(config, line, number, seen);
        } catch (const Wrong& wrong) {
            fail(name, number, wrong.what());
        }
    }
    if (config.min_samples > config.history_samples) {
        const auto line = [&](const char* key) {
            const auto found = seen.find(key);
            return found == seen.end() ? 0 : found->second;
        };
        fail(name, std::max(line("min-samples"), line("history-samples")),
             "min-samples is more than history-samples");
    }
    return config;
}

}  // namespace roothammer::policy
