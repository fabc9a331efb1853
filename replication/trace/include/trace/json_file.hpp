// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/file.hpp"
#include "program/command_line.hpp"

namespace replication::trace {

// A command's figures, for --json. It is made before what may take hours, so that a path that
// cannot be written is found first; without a path there is nothing to write. It may be none of the
// files that the figures are of, however that is named.
class JsonFile {
  public:
    JsonFile(const std::string& path, const warmvm::Words& inputs) : path_(path) {
        if (path.empty()) return;
        for (const auto& input : inputs) {
            std::error_code none_yet;
            if (path == input || std::filesystem::equivalent(path, input, none_yet)) {
                throw warmvm::UsageError("--json '" + path + "' is the trace itself");
            }
        }
        file_.emplace(path);
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
