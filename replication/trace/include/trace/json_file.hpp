// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <fcntl.h>

#include <nlohmann/json.hpp>
#include <string>

#include "base/file.hpp"

namespace replication::trace {

// A command's figures, for --json; without a path there is nothing to write.
inline void write_json(const std::string& path, const nlohmann::json& document) {
    if (path.empty()) return;
    const auto file = warmvm::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    warmvm::write_exactly(file.get(), warmvm::as_byte_view(document.dump(1) + '\n'), path);
}

}  // namespace replication::trace
