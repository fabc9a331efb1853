// SPDX-License-Identifier: GPL-2.0-only
#include "base/lock.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

namespace warmvm {

std::optional<Lock> Lock::try_take(const std::filesystem::path& file) {
    std::filesystem::create_directories(file.parent_path());
    auto fd = open_file(file, O_RDWR | O_CREAT);
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) < 0) {
        if (errno == EWOULDBLOCK) return std::nullopt;
        throw Error::from_errno("flock " + file.string());
    }
    return Lock(std::move(fd));
}

Lock Lock::take(const std::filesystem::path& file, const std::string& holder) {
    auto lock = try_take(file);
    if (!lock) {
        throw Error::of(std::errc::device_or_resource_busy,
                        holder + " is at work (" + file.string() + ")");
    }
    return std::move(*lock);
}

}  // namespace warmvm
