// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <filesystem>
#include <optional>

#include "warmvm/file.hpp"

namespace roothammer {

// Held by an open file, so a killed holder lets go. Two of them: the session lock is an operator's
// xl-warm-reboot from preflight to the end; the work lock is whoever freezes, resumes or puts back.
class Lock {
  public:
    // nullopt: somebody else holds it. Makes the file and its folder.
    static std::optional<Lock> try_take(const std::filesystem::path& file);
    // Throws Error (device_or_resource_busy), saying who is at work.
    static Lock take(const std::filesystem::path& file);

  private:
    explicit Lock(warmvm::Fd fd) : fd_(std::move(fd)) {}
    warmvm::Fd fd_;
};

}  // namespace roothammer
