// SPDX-License-Identifier: GPL-2.0-only
#include "trace/trace_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>

#include "base/error.hpp"
#include "base/file.hpp"

namespace replication::trace {
namespace {

using warmvm::Error;
using warmvm::StreamErrc;

constexpr std::size_t header_size = 16;

[[noreturn]] void fail(const std::string& path) {
    throw Error::from_errno(path);
}

// Asks for the pages before they are used. If that fails they only take longer to come.
void read_ahead(const std::byte* from, std::size_t size) {
    const std::uintptr_t start = reinterpret_cast<std::uintptr_t>(from) & ~(page_size - 1);
    const std::uintptr_t end = reinterpret_cast<std::uintptr_t>(from) + size;
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    ::madvise(reinterpret_cast<void*>(start), end - start, MADV_POPULATE_READ);
}

// The parts of the image that are not holes; one run of all pages where the file system keeps no
// account of holes.
std::vector<TraceFile::Run> runs_of_image(int fd, std::uint32_t guest_pages) {
    std::vector<TraceFile::Run> runs;
    const auto page_of = [](off_t at) {
        return static_cast<std::uint64_t>(at - static_cast<off_t>(header_size)) / page_size;
    };
    const off_t end = static_cast<off_t>(header_size + std::size_t{guest_pages} * page_size);
    for (off_t at = header_size; at < end;) {
        const off_t data = ::lseek(fd, at, SEEK_DATA);
        if (data < 0 && errno == ENXIO) break;
        if (data < 0) return {{0, guest_pages}};
        if (data >= end) break;
        const off_t hole = std::min(::lseek(fd, data, SEEK_HOLE), end);
        if (hole <= data) return {{0, guest_pages}};
        const std::uint64_t first = page_of(data);
        const std::uint64_t last = page_of(hole - 1);
        // A page of the image lies across two pages of the file, so the first one of this run may
        // be the last one of the run before.
        if (!runs.empty() && first < std::uint64_t{runs.back().first} + runs.back().pages)
            runs.back().pages = static_cast<std::uint32_t>(last + 1 - runs.back().first);
        else
            runs.push_back(
                {static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(last + 1 - first)});
        at = hole;
    }
    return runs;
}

}  // namespace

void TraceFile::Unmap::operator()(const std::byte* at) const {
    ::munmap(const_cast<std::byte*>(at), bytes);
}

TraceFile::TraceFile(const std::string& path) {
    const warmvm::Fd file = warmvm::open_file(path, O_RDONLY);
    struct stat status;
    if (::fstat(file.get(), &status) != 0) fail(path);
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size < header_size) throw Error(StreamErrc::truncated, path);
    void* at = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (at == MAP_FAILED) fail(path);
    mapping_ = {static_cast<const std::byte*>(at), Unmap{size}};

    const std::byte* next = mapping_.get();
    std::size_t left = size;
    const auto take = [&](std::size_t bytes) {
        if (left < bytes) throw Error(StreamErrc::truncated, path);
        const std::byte* taken = next;
        next += bytes;
        left -= bytes;
        return taken;
    };
    std::uint64_t counts[2];
    std::memcpy(counts, take(sizeof counts), sizeof counts);
    if (counts[0] == 0 || counts[0] > std::numeric_limits<std::uint32_t>::max())
        throw Error(StreamErrc::bad_header, path);
    guest_pages_ = static_cast<std::uint32_t>(counts[0]);
    first_image_ = take(counts[0] * page_size);
    first_image_runs_ = runs_of_image(file.get(), guest_pages_);
    for (std::uint64_t e = 0; e < counts[1]; ++e) {
        std::uint32_t pages;
        std::memcpy(&pages, take(sizeof pages), sizeof pages);
        const auto* pfns = reinterpret_cast<const std::uint32_t*>(take(std::size_t{pages} * 4));
        const std::span list{pfns, pages};
        for (std::size_t i = 0; i < pages; ++i)
            if (list[i] >= guest_pages_ || (i != 0 && list[i - 1] >= list[i]))
                throw Error(StreamErrc::bad_epoch, path);
        epochs_.push_back({list, take(std::size_t{pages} * page_size)});
    }
    // The trace is in memory before anything is timed; holes take none.
    for (const Run& run : first_image_runs_)
        read_ahead(first_image(run.first), std::size_t{run.pages} * page_size);
    read_ahead(first_image(guest_pages_ - 1),
               size - header_size - std::size_t{guest_pages_ - 1} * page_size);
}

TraceWriter::TraceWriter(const std::string& path) : path_(path), output_(path) {
    file_ = stream_of(warmvm::Fd(::fcntl(output_.get(), F_DUPFD_CLOEXEC, 0)), "wb");
    const std::string folder = std::filesystem::path(path).parent_path().string();
    later_ = stream_of(warmvm::open_file(folder.empty() ? "." : folder, O_TMPFILE | O_RDWR), "w+b");
}

TraceWriter::File TraceWriter::stream_of(warmvm::Fd fd, const char* mode) const {
    File file(::fdopen(fd.get(), mode));
    if (!file) fail(path_);
    fd.release();
    return file;
}

void TraceWriter::write(const File& file, const void* data, std::size_t size) {
    if (size != 0 && std::fwrite(data, size, 1, file.get()) != 1) fail(path_);
}

// What comes before the pages, the header too, is zeros for now, so that the file is no trace yet.
void TraceWriter::first_image(ByteView pages, std::uint32_t first) {
    const std::uint64_t at = header_size + std::uint64_t{first} * page_size;
    if (std::fseek(file_.get(), static_cast<long>(at), SEEK_SET) != 0) fail(path_);
    write(file_, pages.data(), pages.size());
    guest_pages_ = std::max(guest_pages_, first + pages.size() / page_size);
}

void TraceWriter::guest_pages(std::uint32_t pages) {
    guest_pages_ = std::max<std::uint64_t>(guest_pages_, pages);
}

void TraceWriter::epoch(std::span<const std::uint32_t> pfns, ByteView pages) {
    const auto count = static_cast<std::uint32_t>(pfns.size());
    write(later_, &count, sizeof count);
    write(later_, pfns.data(), pfns.size_bytes());
    write(later_, pages.data(), pages.size());
    ++epochs_;
    if (!pfns.empty())
        guest_pages_ = std::max<std::uint64_t>(guest_pages_, std::uint64_t{pfns.back()} + 1);
}

void TraceWriter::close() {
    const std::uint64_t header[2]{guest_pages_, epochs_};
    if (std::fseek(file_.get(), 0, SEEK_SET) != 0) fail(path_);
    write(file_, header, sizeof header);
    static_assert(sizeof header == header_size);
    const std::uint64_t end = header_size + guest_pages_ * page_size;
    // The epochs begin at `end`: what was not written of the image before it is skipped, and reads
    // as zeros.
    if (std::fseek(file_.get(), static_cast<long>(end), SEEK_SET) != 0) fail(path_);
    std::rewind(later_.get());
    Bytes buffer(std::size_t{1} << 20);
    while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), later_.get()))
        write(file_, buffer.data(), size);
    if (std::ferror(later_.get()) != 0) fail(path_);
    // An image that nothing follows has to reach its end all the same.
    if (std::fflush(file_.get()) != 0 ||
        (epochs_ == 0 && ::ftruncate(::fileno(file_.get()), static_cast<off_t>(end)) != 0))
        fail(path_);
    if (std::fclose(file_.release()) != 0) fail(path_);
    output_.finish();
}

}  // namespace replication::trace
