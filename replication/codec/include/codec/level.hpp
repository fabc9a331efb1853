// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <array>
#include <string_view>

namespace replication::codec {

// What the sender spends for size. `fast` has no entropy stage; `balanced` adds similarity and a
// quick one; `small` looks at more candidates and compresses harder. A decoder does not need to
// know.
enum class Level { fast, balanced, small };

inline constexpr std::array all_levels{Level::fast, Level::balanced, Level::small};

constexpr std::string_view name(Level level) {
    switch (level) {
        case Level::fast:
            return "fast";
        case Level::balanced:
            return "balanced";
        case Level::small:
            break;
    }
    return "small";
}

}  // namespace replication::codec
