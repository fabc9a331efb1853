// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

namespace replication::trace {

// A command's figures, for --json; without a path there is nothing to write.
inline void write_json(const std::string& path, const nlohmann::json& document) {
    if (path.empty()) return;
    std::ofstream file(path);
    file << document.dump(1) << '\n';
    if (!file.flush()) throw std::runtime_error(path + ": cannot be written");
}

}  // namespace replication::trace
