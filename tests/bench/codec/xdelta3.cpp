// SPDX-License-Identifier: GPL-2.0-only
#include "xdelta3.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <utility>

extern char** environ;

namespace replication::bench {
namespace {

void require(bool ok, const char* what) {
    if (!ok) throw std::system_error(errno, std::generic_category(), what);
}

class MemoryFile {
  public:
    explicit MemoryFile(const char* name)
        : fd_(::memfd_create(name, 0)), path_("/proc/self/fd/" + std::to_string(fd_)) {
        require(fd_ >= 0, "memfd_create");
    }
    ~MemoryFile() { ::close(fd_); }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;

    const std::string& path() const { return path_; }
    void truncate() { require(::ftruncate(fd_, 0) == 0, "ftruncate"); }
    void write(ByteView data, std::size_t at) {
        require(::pwrite(fd_, data.data(), data.size(), static_cast<off_t>(at)) ==
                    static_cast<ssize_t>(data.size()),
                "pwrite");
    }
    void read(std::byte* out, std::size_t size) {
        require(::pread(fd_, out, size, 0) == static_cast<ssize_t>(size), "pread");
    }
    std::size_t size() const {
        struct stat status;
        require(::fstat(fd_, &status) == 0, "fstat");
        return static_cast<std::size_t>(status.st_size);
    }

  private:
    int fd_;
    std::string path_;
};

class Xdelta3 : public Coder {
  public:
    Xdelta3() : Coder("xdelta3"), old_("old"), new_("new"), coded_("coded") {}
    Keeps keeps() const override { return Keeps::shared; }

    void prepare(const EpochPages& epoch, const ReferenceImage& reference) override {
        old_.truncate();
        new_.truncate();
        new_.write(epoch.data, 0);
        for (std::size_t i = 0; i < epoch.pfns.size(); ++i)
            old_.write({reference.page(epoch.pfns[i]), page_size}, i * page_size);
    }
    std::size_t encode(const EpochPages&, const ReferenceImage&) override {
        coded_.truncate();
        run("-e", new_, coded_);
        return coded_.size();
    }
    void decode(const EpochPages& epoch, const ReferenceImage&, std::byte* out) override {
        new_.truncate();
        run("-d", coded_, new_);
        new_.read(out, epoch.data.size());
    }
    double foreign_seconds() override { return std::exchange(foreign_seconds_, 0); }

  private:
    void run(const char* direction, const MemoryFile& in, const MemoryFile& out) {
        // Level 1, no secondary compression, windows that hold a whole epoch of some tens of MB.
        const std::array<const char*, 13> arguments{
            "xdelta3", direction,  "-1", "-f",       "-S", "none",
            "-W",      "16777216", "-B", "67108864", "-s", old_.path().c_str(),
            nullptr};
        std::vector<char*> argv;
        for (const char* argument : arguments)
            if (argument != nullptr) argv.push_back(const_cast<char*>(argument));
        argv.push_back(const_cast<char*>(in.path().c_str()));
        argv.push_back(const_cast<char*>(out.path().c_str()));
        argv.push_back(nullptr);
        pid_t child;
        errno = ::posix_spawnp(&child, "xdelta3", nullptr, nullptr, argv.data(), environ);
        require(errno == 0, "xdelta3");
        int status = 0;
        struct rusage usage;
        require(::wait4(child, &status, 0, &usage) == child, "wait4");
        if (status != 0) throw std::runtime_error("xdelta3 failed");
        for (const timeval& time : {usage.ru_utime, usage.ru_stime})
            foreign_seconds_ +=
                static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    }

    MemoryFile old_;
    MemoryFile new_;
    MemoryFile coded_;
    double foreign_seconds_ = 0;
};

}  // namespace

std::unique_ptr<Coder> make_xdelta3() {
    for (const char* path : {"/usr/bin/xdelta3", "/usr/local/bin/xdelta3"})
        if (::access(path, X_OK) == 0) return std::make_unique<Xdelta3>();
    return nullptr;
}

}  // namespace replication::bench
