// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <string_view>

// Options that a text speaks of, without their dashes.
inline std::set<std::string> options_in(const std::string& text) {
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz-";
    std::set<std::string> names;
    for (auto at = text.find("--"); at != std::string::npos; at = text.find("--", at)) {
        const auto first = at + 2;
        at = std::min(text.find_first_not_of(letters, first), text.size());
        if (at != first) names.insert(text.substr(first, at - first));
    }
    return names;
}

// Those under OPTIONS in a man page of docs/man: "roothammer.8".
inline std::set<std::string> options_of_man_page(const std::string& name) {
    std::ifstream file("docs/man/" + name);
    std::string page{std::istreambuf_iterator<char>(file), {}};
    std::erase(page, '\\');
    const auto begin = page.find("\n.SH OPTIONS\n");
    if (begin == std::string::npos) return {};
    return options_in(page.substr(begin, page.find("\n.SH ", begin + 1) - begin));
}
