// SPDX-License-Identifier: GPL-2.0-only
#include "policy/window.hpp"

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace roothammer::policy {
namespace {

constexpr std::int64_t minute = 60;

bool is_any_open(std::span<const Window> windows, const LocalMinute& local) {
    return std::ranges::any_of(windows, [&](const auto& window) { return is_open(window, local); });
}

int number_of(std::string_view digits, int limit) {
    if (digits.size() != 2 || digits.find_first_not_of("0123456789") != std::string_view::npos) {
        throw std::invalid_argument("a time is HH:MM, not with '" + std::string(digits) + "'");
    }
    const int number = (digits[0] - '0') * 10 + (digits[1] - '0');
    if (number > limit) throw std::invalid_argument("no time has '" + std::string(digits) + "'");
    return number;
}

// "HH:MM"; 24:00 too.
int parse_time(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) {
        throw std::invalid_argument("a time is HH:MM, not '" + std::string(text) + "'");
    }
    const int result =
        number_of(text.substr(0, colon), 24) * 60 + number_of(text.substr(colon + 1), 59);
    if (result > minutes_a_day) throw std::invalid_argument("a day ends at 24:00");
    return result;
}

void add_days(Window& window, const std::string& text) {
    if (text == "daily") {
        window.days.fill(true);
        return;
    }
    std::istringstream words(text);
    for (std::string word; std::getline(words, word, ',');) {
        const auto day = std::ranges::find(day_names, word);
        if (day == day_names.end()) {
            throw std::invalid_argument("no day is '" + word + "'; days are mon,tue,... or daily");
        }
        window.days.at(static_cast<std::size_t>(day - day_names.begin())) = true;
    }
}

}  // namespace

Window parse_window(std::string_view text) {
    std::istringstream words{std::string(text)};
    std::string days;
    std::string times;
    std::string more;
    words >> days >> times >> more;
    Window window;
    if (days == "always" && times.empty()) {
        window.days.fill(true);
        window.to = minutes_a_day;
        return window;
    }
    const auto dash = times.find('-');
    if (days.empty() || dash == std::string::npos || !more.empty()) {
        throw std::invalid_argument("a window is 'DAYS HH:MM-HH:MM' or 'always', not '" +
                                    std::string(text) + "'");
    }
    add_days(window, days);
    window.from = parse_time(std::string_view(times).substr(0, dash));
    window.to = parse_time(std::string_view(times).substr(dash + 1));
    if (window.from == minutes_a_day) throw std::invalid_argument("a window opens before 24:00");
    if (window.from == window.to) throw std::invalid_argument("the window is empty");
    return window;
}

bool is_open(const Window& window, const LocalMinute& local) {
    const auto opens_on = [&](int weekday) {
        return window.days.at(static_cast<std::size_t>(weekday));
    };
    if (window.from < window.to) {
        return opens_on(local.weekday) && local.minute >= window.from && local.minute < window.to;
    }
    if (local.minute >= window.from) return opens_on(local.weekday);
    return local.minute < window.to && opens_on((local.weekday + 6) % 7);
}

// Minute by minute, as the clock on the wall goes: every rule of every time zone is in `local`.
std::chrono::seconds open_for(std::span<const Window> windows, std::int64_t now,
                              std::chrono::seconds limit, const ToLocal& local) {
    if (!is_any_open(windows, local(now))) return {};
    auto end = now - now % minute + minute;
    while (end - now < limit.count() && is_any_open(windows, local(end))) end += minute;
    return std::min(limit, std::chrono::seconds(end - now));
}

std::optional<std::int64_t> next_opening(std::span<const Window> windows, std::int64_t now,
                                         const ToLocal& local) {
    constexpr std::int64_t limit = 15LL * minutes_a_day * minute;
    for (auto time = now - now % minute; time < now + limit; time += minute) {
        if (is_any_open(windows, local(time))) return std::max(time, now);
    }
    return std::nullopt;
}

}  // namespace roothammer::policy
