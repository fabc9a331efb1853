// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/file.hpp"

namespace replication::trace {

// A command's figures, for --json. It is made before what may take hours, so that a path that
// cannot be written is found first; without a path there is nothing to write.
class JsonFile {
  public:
    explicit JsonFile(const std::string& path) : path_(path) {
        if (!path.empty()) file_.emplace(path);
    }
    void write(const nlohmann::json& document) {
        if (!file_) return;
        warmvm::write_exactly(file_->get(), warmvm::as_byte_view(document.dump(1) + '\n'), path_);
        file_->finish();
    }

  private:
    std::string path_;
    std::optional<warmvm::OutputFile> file_;
};

}  // namespace replication::trace
