// SPDX-License-Identifier: GPL-2.0-only
#include "base/file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace warmvm {
namespace {

constexpr mode_t mode_bits = 07777;

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
    if (this != &other) {
        reset();
        fd_ = other.release();
    }
    return *this;
}

int Fd::release() {
    return std::exchange(fd_, -1);
}

void Fd::reset() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

Fd open_file(const std::filesystem::path& path, int flags, mode_t mode) {
    Fd fd(::open(path.c_str(), flags | O_CLOEXEC, mode));
    if (!fd.is_open()) throw Error::from_errno("open " + path.string());
    return fd;
}

void read_exactly(int fd, std::span<std::byte> out, const std::string& name) {
    while (!out.empty()) {
        const auto got = ::read(fd, out.data(), out.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw Error::from_errno("read " + name);
        if (got == 0) throw Error(StreamErrc::truncated, "read " + name);
        out = out.subspan(static_cast<std::size_t>(got));
    }
}

void write_exactly(int fd, ByteView bytes, const std::string& name) {
    while (!bytes.empty()) {
        const auto put = ::write(fd, bytes.data(), bytes.size());
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) throw Error::from_errno("write " + name);
        bytes = bytes.subspan(static_cast<std::size_t>(put));
    }
}

Bytes read_file(const std::filesystem::path& path, std::size_t limit) {
    const auto fd = open_file(path, O_RDONLY);
    Bytes bytes;
    // st_size is no guide: files below /proc have none.
    constexpr std::size_t step = 1u << 16;
    for (;;) {
        const auto at = bytes.size();
        bytes.resize(at + step);
        const auto got = ::read(fd.get(), bytes.data() + at, step);
        if (got < 0 && errno == EINTR) {
            bytes.resize(at);
            continue;
        }
        if (got < 0) throw Error::from_errno("read " + path.string());
        bytes.resize(at + static_cast<std::size_t>(got));
        if (got == 0) return bytes;
        if (bytes.size() > limit) throw Error(StreamErrc::too_big, "read " + path.string());
    }
}

std::string read_text_file(const std::filesystem::path& path, std::size_t limit) {
    const auto bytes = read_file(path, limit);
    std::string text(bytes.size(), '\0');
    std::memcpy(text.data(), bytes.data(), bytes.size());
    return text;
}

void replace_file(const std::filesystem::path& path, ByteView bytes, mode_t mode) {
    const auto temporary = path.string() + ".new";
    const auto fd = open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC, mode);
    try {
        write_exactly(fd.get(), bytes, temporary);
        if (::fsync(fd.get()) < 0) throw Error::from_errno("fsync " + temporary);
        if (::rename(temporary.c_str(), path.c_str()) < 0) {
            throw Error::from_errno("rename " + temporary);
        }
    } catch (...) {
        // The temporary file would be in the next try's way on a disk that is full.
        ::unlink(temporary.c_str());
        throw;
    }
}

OutputFile::OutputFile(const std::filesystem::path& path, mode_t mode) : path_(path) {
    const bool exists = std::filesystem::exists(path_);
    struct stat before {};
    if (exists && !std::filesystem::is_regular_file(path_)) {
        fd_ = open_file(path_, O_WRONLY);
        return;
    }
    if (exists) {
        // A link stays one, and a file that may not be written is not replaced either.
        path_ = std::filesystem::canonical(path_);
        if (::access(path_.c_str(), W_OK) < 0 || ::stat(path_.c_str(), &before) < 0) {
            throw Error::from_errno("open " + path.string());
        }
    } else if (std::filesystem::is_symlink(path_)) {
        path_ = std::filesystem::weakly_canonical(path_);
    }
    // Whoever writes to the same path meanwhile has a file of its own, and the last one counts.
    temporary_ = path_.string() + "." + std::to_string(::getpid()) + ".new";
    fd_ = Fd(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
    if (!fd_.is_open()) throw Error::from_errno("open " + path.string());
    // It is read by whom the old one was; who may write but not give it away becomes its owner.
    if (exists && ((::fchown(fd_.get(), before.st_uid, before.st_gid) < 0 && errno != EPERM) ||
                   ::fchmod(fd_.get(), before.st_mode & mode_bits) < 0)) {
        const auto error = Error::from_errno("chmod " + temporary_.string());
        ::unlink(temporary_.c_str());
        throw error;
    }
}

OutputFile::~OutputFile() {
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void OutputFile::finish() {
    if (temporary_.empty()) return;
    if (::fsync(fd_.get()) < 0) throw Error::from_errno("fsync " + temporary_.string());
    if (::rename(temporary_.c_str(), path_.c_str()) < 0) {
        throw Error::from_errno("rename " + temporary_.string());
    }
    temporary_.clear();
}

MemoryFile::MemoryFile(const std::string& name, ByteView bytes)
    : fd_(::memfd_create(name.c_str(), MFD_CLOEXEC)) {
    if (!fd_.is_open()) throw Error::from_errno("memfd_create " + name);
    write_exactly(fd_.get(), bytes, name);
}

std::string MemoryFile::path() const {
    return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd_.get());
}

}  // namespace warmvm
