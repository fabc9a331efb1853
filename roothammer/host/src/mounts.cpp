// SPDX-License-Identifier: GPL-2.0-only
#include "host/mounts.hpp"

#include <sys/mount.h>

#include <algorithm>
#include <array>
#include <optional>
#include <sstream>
#include <utility>

namespace roothammer {
namespace {

// mount(2) clears at a remount those flags that it is not given.
unsigned long flags_of(const std::string& options) {
    constexpr std::array<std::pair<std::string_view, unsigned long>, 11> names{{
        {"nosuid", MS_NOSUID},
        {"nodev", MS_NODEV},
        {"noexec", MS_NOEXEC},
        {"nosymfollow", MS_NOSYMFOLLOW},
        {"noatime", MS_NOATIME},
        {"nodiratime", MS_NODIRATIME},
        {"relatime", MS_RELATIME},
        {"sync", MS_SYNCHRONOUS},
        {"dirsync", MS_DIRSYNC},
        {"mand", MS_MANDLOCK},
        {"lazytime", MS_LAZYTIME},
    }};
    unsigned long flags = 0;
    std::istringstream words(options);
    for (std::string word; std::getline(words, word, ',');) {
        const auto* const known =
            std::ranges::find(names, word, &std::pair<std::string_view, unsigned long>::first);
        if (known != names.end()) flags |= known->second;
    }
    return flags;
}

bool is_writable(const std::string& options) {
    return options == "rw" || options.starts_with("rw,");
}

// "36 35 98:0 /root /mnt rw,noatime master:1 - ext4 /dev/sda rw"; the last word is the file
// system's own state.
std::optional<Mount> read_line(const std::string& line) {
    std::istringstream words(line);
    std::string word;
    std::string root;
    std::string options;
    Mount mount;
    if (!(words >> word >> word >> mount.device >> root >> mount.point >> options)) return {};
    while (words >> word && word != "-") {
    }
    std::string type;
    std::string source;
    std::string own;
    if (!(words >> type >> source >> own)) return {};
    if (mount.device.starts_with("0:")) return {};
    mount.writable = is_writable(own);
    mount.read_only = !is_writable(options);
    mount.flags = flags_of(options) | flags_of(own);
    // strictatime is what there is when none is named, and not what mount(2) then takes.
    if ((mount.flags & (MS_NOATIME | MS_RELATIME)) == 0) mount.flags |= MS_STRICTATIME;
    return mount;
}

}  // namespace

std::vector<Mount> block_mounts(std::string_view mountinfo) {
    std::vector<Mount> mounts;
    std::istringstream lines{std::string(mountinfo)};
    for (std::string line; std::getline(lines, line);) {
        if (auto mount = read_line(line)) mounts.push_back(std::move(*mount));
    }
    return mounts;
}

std::string to_text(const std::vector<Mount>& mounts) {
    std::string text;
    for (const auto& mount : mounts) {
        text += mount.device + " " + std::to_string(mount.flags) + " " +
                (mount.read_only ? "ro" : "rw") + " " + mount.point + "\n";
    }
    return text;
}

std::vector<Mount> mounts_from_text(std::string_view text) {
    std::vector<Mount> mounts;
    std::istringstream lines{std::string(text)};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string mode;
        Mount mount;
        if (!(words >> mount.device >> mount.flags >> mode >> mount.point)) continue;
        mount.writable = true;
        mount.read_only = mode == "ro";
        mounts.push_back(std::move(mount));
    }
    return mounts;
}

std::vector<Mount> to_be_put_back(const std::vector<Mount>& mounts) {
    std::vector<Mount> chosen;
    for (const auto& mount : mounts) {
        if (!mount.writable) continue;
        const auto same = std::ranges::find(chosen, mount.device, &Mount::device);
        if (same == chosen.end()) {
            chosen.push_back(mount);
        } else if (same->read_only && !mount.read_only) {
            *same = mount;
        }
    }
    return chosen;
}

std::string unescape(std::string_view point) {
    constexpr std::size_t escape = 4;  // \ and three octal digits
    std::string text;
    for (std::size_t i = 0; i < point.size(); ++i) {
        const auto octal = point.substr(i, escape);
        if (octal.size() == escape && octal[0] == '\\' &&
            std::ranges::all_of(octal.substr(1), [](char c) { return c >= '0' && c <= '7'; })) {
            text += static_cast<char>(std::stoi(std::string(octal.substr(1)), nullptr, 8));
            i += escape - 1;
        } else {
            text += point[i];
        }
    }
    return text;
}

}  // namespace roothammer
