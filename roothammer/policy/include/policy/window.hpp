// SPDX-License-Identifier: GPL-2.0-only
// When the operator allows a reboot: days and times of day, as a clock on the wall shows them.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace roothammer::policy {

inline constexpr int minutes_a_day = 24 * 60;
inline constexpr std::array day_names{std::string_view("sun"), std::string_view("mon"),
                                      std::string_view("tue"), std::string_view("wed"),
                                      std::string_view("thu"), std::string_view("fri"),
                                      std::string_view("sat")};

struct Window {
    std::array<bool, day_names.size()> days{};  // on which it opens; from Sunday
    int from = 0;                               // minute of the day
    int to = 0;  // not included; at or before `from`: on the day after
    friend bool operator==(const Window&, const Window&) = default;
};

// "sat,sun 23:00-03:00", "daily 02:00-04:30", "always". Throws std::invalid_argument, saying what
// is wrong.
Window parse_window(std::string_view text);

struct LocalMinute {
    int weekday = 0;  // 0: Sunday
    int minute = 0;   // of the day
};
// What a wall clock in the host's time zone shows at a moment (seconds since 1970, UTC). All that
// is known of daylight saving: an hour that comes twice is in a window twice, one that is left out
// is in none.
using ToLocal = std::function<LocalMinute(std::int64_t)>;

bool is_open(const Window& window, const LocalMinute& local);

// How long one window or another stays open from now on, to the minute and at most limit;
// 0: none is open.
std::chrono::seconds open_for(std::span<const Window> windows, std::int64_t now,
                              std::chrono::seconds limit, const ToLocal& local);
// The next minute at which one is open, within fifteen days (a weekly window may fall into an hour
// that is left out); nullopt: none.
std::optional<std::int64_t> next_opening(std::span<const Window> windows, std::int64_t now,
                                         const ToLocal& local);

}  // namespace roothammer::policy
