// SPDX-License-Identifier: GPL-2.0-only
#include "written_pages.hpp"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <string>

#include "remote_syscall.hpp"

namespace replication::trace {
namespace {

using warmvm::Fd;

// The kernel's interface, for building with older headers: include/uapi/linux/fs.h and
// userfaultfd.h of Linux 6.7.
struct Region {
    std::uint64_t start;
    std::uint64_t end;
    std::uint64_t categories;
};
struct Scan {
    std::uint64_t size;
    std::uint64_t flags;
    std::uint64_t start;
    std::uint64_t end;
    std::uint64_t walk_end;
    std::uint64_t regions;
    std::uint64_t region_count;
    std::uint64_t max_pages;
    std::uint64_t category_inverted;
    std::uint64_t category_mask;
    std::uint64_t category_anyof_mask;
    std::uint64_t return_mask;
};
constexpr unsigned long pagemap_scan = _IOWR('f', 16, Scan);
constexpr std::uint64_t scan_protect = 1 << 0;
constexpr std::uint64_t scan_check_async = 1 << 1;
constexpr std::uint64_t is_written = 1 << 1;
constexpr std::uint64_t is_file = 1 << 2;
constexpr std::uint64_t is_present = 1 << 3;
constexpr std::uint64_t is_swapped = 1 << 4;
constexpr std::uint64_t protect_shared_memory = 1 << 12;
constexpr std::uint64_t protect_unpopulated = 1 << 13;
constexpr std::uint64_t protect_asynchronously = 1 << 15;
constexpr unsigned long user_mode_only = 1;

void require(bool ok, const char* what) {
    if (!ok) throw warmvm::Error::from_errno(what);
}

// The process makes it, we take a copy and it closes its own: a userfaultfd serves the memory of
// whoever made it.
Fd userfaultfd_of(pid_t pid) {
    RemoteSyscall process(pid);
    const long theirs = process.call(SYS_userfaultfd, {O_CLOEXEC | O_NONBLOCK | user_mode_only, 0});
    errno = static_cast<int>(-theirs);
    require(theirs >= 0, "userfaultfd");
    const Fd handle(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    require(handle.is_open(), "pidfd_open");
    Fd ours(static_cast<int>(::syscall(SYS_pidfd_getfd, handle.get(), theirs, 0)));
    const int error = errno;
    process.call(SYS_close, {static_cast<unsigned long>(theirs), 0});
    errno = error;
    require(ours.is_open(), "pidfd_getfd");
    return ours;
}

}  // namespace

WrittenPages::WrittenPages(pid_t pid) : faults_(userfaultfd_of(pid)) {
    uffdio_api api{};
    api.api = UFFD_API;
    api.features = UFFD_FEATURE_PAGEFAULT_FLAG_WP | protect_shared_memory | protect_unpopulated |
                   protect_asynchronously;
    require(::ioctl(faults_.get(), UFFDIO_API, &api) == 0,
            "asynchronous write protection (Linux 6.7)");
    pagemap_ =
        Fd(::open(("/proc/" + std::to_string(pid) + "/pagemap").c_str(), O_RDONLY | O_CLOEXEC));
    if (!pagemap_.is_open() && errno == ENOENT) errno = ESRCH;
    require(pagemap_.is_open(), "pagemap");
}

void WrittenPages::take(const Mapping& mapping, std::vector<Range>& ranges) {
    // Registering a mapping that is known already changes nothing.
    uffdio_register registration{};
    registration.range = {mapping.start, mapping.end - mapping.start};
    registration.mode = UFFDIO_REGISTER_MODE_WP;
    const bool registered = ::ioctl(faults_.get(), UFFDIO_REGISTER, &registration) == 0;
    // With ENOMEM the kernel says that the memory belongs to no process any more.
    if (!registered && errno == ENOMEM) errno = ESRCH;
    // A mapping of a device, or of the kernel such as the ring of asynchronous I/O, cannot be
    // watched, and is no memory of the program.
    if (!registered && errno == EINVAL) return;
    require(registered, "UFFDIO_REGISTER");

    std::array<Region, 512> regions;
    Scan scan{};
    scan.size = sizeof scan;
    scan.flags = scan_protect | scan_check_async;
    scan.end = mapping.end;
    scan.regions = reinterpret_cast<std::uintptr_t>(regions.data());
    scan.region_count = regions.size();
    scan.category_mask = is_written;
    scan.category_anyof_mask = is_present | is_swapped;
    scan.return_mask = is_written;
    if (!mapping.shared) {
        // A page of a private file mapping is the process's own only after it was written over.
        scan.category_mask |= is_file;
        scan.category_inverted = is_file;
    }
    for (scan.start = mapping.start; scan.start < mapping.end; scan.start = scan.walk_end) {
        const int count = ::ioctl(pagemap_.get(), pagemap_scan, &scan);
        require(count >= 0, "PAGEMAP_SCAN");
        for (int i = 0; i < count; ++i)
            ranges.push_back({regions[static_cast<std::size_t>(i)].start,
                              regions[static_cast<std::size_t>(i)].end});
    }
}

}  // namespace replication::trace
