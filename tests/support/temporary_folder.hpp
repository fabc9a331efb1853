// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <string>

// A folder of a test's own, gone with the object. It is in memory where there is some: files are
// synced before they replace others, and some tests write thousands.
class TemporaryFolder {
  public:
    TemporaryFolder() {
        const std::filesystem::path memory = "/dev/shm";
        const auto base =
            std::filesystem::exists(memory) ? memory : std::filesystem::temp_directory_path();
        std::string name = base / "warmvm-test.XXXXXX";
        if (!::mkdtemp(name.data())) std::abort();
        path_ = name;
    }
    ~TemporaryFolder() { std::filesystem::remove_all(path_); }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};
