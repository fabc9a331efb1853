// SPDX-License-Identifier: GPL-2.0-only
#include "recorder.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <set>

#include "base/error.hpp"

namespace replication::trace {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t pages = 256;

// Steps of a process tree that a pipe drives: parent and child share memory.
class Tree {
  public:
    Tree() {
        if (::pipe(go_) != 0 || ::pipe(done_) != 0) std::abort();
        pid_ = ::fork();
        if (pid_ != 0) return;
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        auto* shared = static_cast<std::byte*>(::mmap(
            nullptr, pages * page_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
        std::memset(shared, 1, pages * page_size);
        auto* own =
            static_cast<std::byte*>(::mmap(nullptr, pages * page_size, PROT_READ | PROT_WRITE,
                                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        std::memset(own, 2, pages * page_size);
        const bool child = ::fork() == 0;
        if (child) ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::write(done_[1], "r", 1) != 1) ::_exit(1);
        for (char step = 0; ::read(go_[0], &step, 1) == 1;) {
            // Whoever reads it does it.
            std::memset(shared + 10 * page_size, step, 3 * page_size);
            own[20 * page_size + (child ? 1u : 0u)] = static_cast<std::byte>(step);
            if (::write(done_[1], &step, 1) != 1) break;
        }
        ::_exit(0);
    }
    ~Tree() {
        ::close(go_[0]);
        ::close(go_[1]);
        ::close(done_[0]);
        ::close(done_[1]);
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    Tree(const Tree&) = delete;
    Tree& operator=(const Tree&) = delete;
    pid_t pid() const { return pid_; }
    // Both processes have their memory.
    void wait_until_ready() const {
        wait();
        wait();
    }
    // Returns when the step is done.
    void order(char step) const {
        ASSERT_EQ(::write(go_[1], &step, 1), 1);
        wait();
    }

  private:
    void wait() const {
        pollfd done{done_[0], POLLIN, 0};
        ASSERT_EQ(::poll(&done, 1, 30'000), 1);
        char byte;
        ASSERT_EQ(::read(done_[0], &byte, 1), 1);
    }

    int go_[2];
    int done_[2];
    pid_t pid_;
};

TEST(Recorder, FindsWhatATreeOfProcessesWrites) {
    const std::filesystem::path path =
        std::filesystem::path(testing::TempDir()) / "recorder_test.trace";
    const Tree tree;
    tree.wait_until_ready();
    if (HasFatalFailure()) return;
    try {
        Recorder recorder(tree.pid(), path, [](auto time) { std::this_thread::sleep_for(time); });
        recorder.first_image();
        recorder.epoch(20ms);
        tree.order(77);
        recorder.epoch(20ms);
        recorder.epoch(20ms);
        recorder.close();
    } catch (const warmvm::Error& error) {
        // Any other is a fault.
        if (error.code() != std::errc::operation_not_permitted &&
            error.code() != std::errc::permission_denied) {
            throw;
        }
        GTEST_SKIP() << "this kernel or these rights do not allow it: " << error.what();
    }
    const TraceFile trace(path);
    std::filesystem::remove(path);
    ASSERT_EQ(trace.epochs().size(), 3u);
    // Shared pages once, private ones of both processes.
    EXPECT_GE(trace.guest_pages(), 3 * pages);
    std::size_t shared = 0;
    for (std::uint32_t pfn = 0; pfn < trace.guest_pages(); ++pfn)
        shared += trace.first_image(pfn)[0] == std::byte{1} &&
                  trace.first_image(pfn)[page_size - 1] == std::byte{1};
    EXPECT_EQ(shared, pages);
    const auto count = [](const TraceFile::Epoch& epoch, std::byte value) {
        std::size_t found = 0;
        for (std::size_t i = 0; i < epoch.pfns.size(); ++i)
            found +=
                epoch.data[i * page_size] == value && epoch.data[(i + 1) * page_size - 1] == value;
        return found;
    };
    EXPECT_EQ(count(trace.epochs()[0], std::byte{77}), 0u);
    EXPECT_EQ(count(trace.epochs()[1], std::byte{77}), 3u);
    EXPECT_LT(trace.epochs()[1].pfns.size(), pages / 2);
    EXPECT_EQ(count(trace.epochs()[2], std::byte{77}), 0u);
}

}  // namespace
}  // namespace replication::trace
