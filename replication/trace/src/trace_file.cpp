// SPDX-License-Identifier: GPL-2.0-only
#include "trace_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <system_error>

namespace replication::trace {
namespace {

[[noreturn]] void fail(const std::string& path) {
    throw std::system_error(errno, std::generic_category(), path);
}

struct Descriptor {
    int fd;
    ~Descriptor() { ::close(fd); }
};

}  // namespace

void TraceFile::Unmap::operator()(const std::uint8_t* at) const {
    ::munmap(const_cast<std::uint8_t*>(at), bytes);
}

TraceFile::TraceFile(const std::string& path) {
    const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (file.fd < 0) fail(path);
    struct stat status;
    if (::fstat(file.fd, &status) != 0) fail(path);
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size < 16) throw std::runtime_error(path + ": not a trace");
    void* at = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file.fd, 0);
    if (at == MAP_FAILED) fail(path);
    mapping_ = {static_cast<const std::uint8_t*>(at), Unmap{size}};

    const std::uint8_t* next = mapping_.get();
    std::size_t left = size;
    const auto take = [&](std::size_t bytes) {
        if (left < bytes) throw std::runtime_error(path + ": trace is cut short");
        const std::uint8_t* taken = next;
        next += bytes;
        left -= bytes;
        return taken;
    };
    std::uint64_t counts[2];
    std::memcpy(counts, take(sizeof counts), sizeof counts);
    if (counts[0] == 0 || counts[0] > std::numeric_limits<std::uint32_t>::max())
        throw std::runtime_error(path + ": not a trace");
    guest_pages_ = static_cast<std::uint32_t>(counts[0]);
    first_image_ = take(counts[0] * codec::page_size);
    for (std::uint64_t e = 0; e < counts[1]; ++e) {
        std::uint32_t pages;
        std::memcpy(&pages, take(sizeof pages), sizeof pages);
        const auto* pfns = reinterpret_cast<const std::uint32_t*>(take(std::size_t{pages} * 4));
        const std::span list{pfns, pages};
        for (std::size_t i = 0; i < pages; ++i)
            if (list[i] >= guest_pages_ || (i != 0 && list[i - 1] >= list[i]))
                throw std::runtime_error(path + ": pages of an epoch do not ascend");
        epochs_.push_back({list, take(std::size_t{pages} * codec::page_size)});
    }
}

TraceWriter::TraceWriter(const std::string& path, std::uint64_t guest_pages)
    : path_(path), file_(std::fopen(path.c_str(), "wb")) {
    if (!file_) fail(path_);
    write(&guest_pages, sizeof guest_pages);
    write(&epochs_, sizeof epochs_);
}

void TraceWriter::write(const void* data, std::size_t size) {
    if (size != 0 && std::fwrite(data, size, 1, file_.get()) != 1) fail(path_);
}

void TraceWriter::first_image(std::span<const std::uint8_t> pages) { write(pages.data(), pages.size()); }

void TraceWriter::epoch(std::span<const std::uint32_t> pfns, std::span<const std::uint8_t> pages) {
    const auto count = static_cast<std::uint32_t>(pfns.size());
    write(&count, sizeof count);
    write(pfns.data(), pfns.size_bytes());
    write(pages.data(), pages.size());
    ++epochs_;
}

void TraceWriter::close() {
    if (std::fseek(file_.get(), 8, SEEK_SET) != 0) fail(path_);
    write(&epochs_, sizeof epochs_);
    if (std::fclose(file_.release()) != 0) fail(path_);
}

}  // namespace replication::trace
