// SPDX-License-Identifier: GPL-2.0-only
#include "fake_ports.hpp"

namespace fake {

std::optional<std::string> Store::read(const std::string& path) {
    step("store read");
    const auto found = nodes.find(path);
    if (found == nodes.end()) return std::nullopt;
    return found->second;
}

void Store::write(const std::string& path, const std::string& value) {
    step("store write");
    nodes[path] = value;
}

std::vector<std::string> Store::list(const std::string& path) {
    step("store list");
    std::set<std::string> children;
    for (const auto& [name, value] : nodes) {
        if (!name.starts_with(path + "/")) continue;
        const auto rest = name.substr(path.size() + 1);
        children.insert(rest.substr(0, rest.find('/')));
    }
    return {children.begin(), children.end()};
}

bool Store::replace(const std::string& path, const std::string& expected,
                    const std::string& replacement) {
    step("store replace");
    const auto found = nodes.find(path);
    if (found == nodes.end() || found->second != expected) return false;
    found->second = replacement;
    return true;
}

void Store::resume_domain(DomId domain) {
    step("store resume_domain");
    (void)get(domain);
}

}  // namespace fake
