// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/file.hpp"

namespace warmvm {

// An open file holds it, so a killed holder lets go.
class Lock {
  public:
    // nullopt: somebody else holds it. Makes the file and its folder.
    static std::optional<Lock> try_take(const std::filesystem::path& file);
    // Throws Error (device_or_resource_busy), with the holder's description and the file.
    static Lock take(const std::filesystem::path& file, const std::string& holder);

  private:
    explicit Lock(Fd fd) : fd_(std::move(fd)) {}
    Fd fd_;
};

}  // namespace warmvm
