// SPDX-License-Identifier: GPL-2.0-only
#include "roothammer/lock.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

namespace roothammer {

std::optional<Lock> Lock::try_take(const std::filesystem::path& file) {
    std::filesystem::create_directories(file.parent_path());
    auto fd = warmvm::open_file(file, O_RDWR | O_CREAT);
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) < 0) {
        if (errno == EWOULDBLOCK) return std::nullopt;
        throw warmvm::Error::from_errno("flock " + file.string());
    }
    return Lock(std::move(fd));
}

Lock Lock::take(const std::filesystem::path& file) {
    auto lock = try_take(file);
    if (!lock) {
        throw warmvm::Error::of(std::errc::device_or_resource_busy,
                                "another warm reboot or resume is at work (" + file.string() + ")");
    }
    return std::move(*lock);
}

}  // namespace roothammer
