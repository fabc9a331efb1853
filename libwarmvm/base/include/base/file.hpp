// SPDX-License-Identifier: GPL-2.0-only
// File descriptors and whole files.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace warmvm {

class Fd {
  public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    ~Fd() { reset(); }
    Fd(Fd&& other) noexcept : fd_(other.release()) {}
    Fd& operator=(Fd&& other) noexcept;
    [[nodiscard]] int get() const { return fd_; }
    [[nodiscard]] bool is_open() const { return fd_ >= 0; }
    int release();
    void reset();

  private:
    int fd_ = -1;
};

Fd open_file(const std::filesystem::path& path, int flags, mode_t mode = 0600);

// These do all of it, over short reads and EINTR; StreamErrc::truncated at an early end of file.
void read_exactly(int fd, std::span<std::byte> out, const std::string& name);
void write_exactly(int fd, ByteView bytes, const std::string& name);

// Throws StreamErrc::too_big if the file is longer than limit bytes.
Bytes read_file(const std::filesystem::path& path, std::size_t limit);
std::string read_text_file(const std::filesystem::path& path, std::size_t limit = 1u << 20);
// A temporary file beside it is synced and renamed: it has the old or the new content throughout.
void replace_file(const std::filesystem::path& path, ByteView bytes, mode_t mode = 0600);

// A file that a user names, for what may take long to make or may come to nothing: it is written
// beside the path and takes its place when it is finished. What was there before stays until then,
// and for good if the object ends first. A device or pipe at the path is written to itself.
class OutputFile {
  public:
    // Throws Error if nothing can be written there.
    explicit OutputFile(const std::filesystem::path& path, mode_t mode = 0666);
    ~OutputFile();
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;
    [[nodiscard]] int get() const { return fd_.get(); }
    void finish();

  private:
    std::filesystem::path path_;
    std::filesystem::path temporary_;  // empty: none, or it has been renamed
    Fd fd_;
};

// A file in memory only, for programs that want a path. It goes with the object or its process,
// whatever becomes of that.
class MemoryFile {
  public:
    MemoryFile(const std::string& name, ByteView bytes);
    // The path is good in this and other processes while the object lives.
    [[nodiscard]] std::string path() const;

  private:
    Fd fd_;
};

class FdSource final : public ByteSource {
  public:
    FdSource(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}
    void read(std::span<std::byte> out) override { read_exactly(fd_, out, name_); }

  private:
    int fd_;
    std::string name_;
};

}  // namespace warmvm
