// SPDX-License-Identifier: GPL-2.0-only
#include "process_tree.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>
#include <thread>
#include <vector>

#include "base/error.hpp"

namespace replication::trace {
namespace {

using namespace std::chrono_literals;

// A process whose vfork's child takes a while until it becomes another program; it cannot be
// stopped before. Both end with the test, and by an alarm.
pid_t start_slow_vfork() {
    const pid_t parent = ::fork();
    if (parent != 0) return parent;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::alarm(60);
    const pid_t child = ::vfork();
    if (child == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::usleep(50'000);
        ::execlp("sleep", "sleep", "60", nullptr);
        ::_exit(1);
    }
    for (;;) ::pause();
}

TEST(StoppedTree, WaitsForAChildThatIsAboutToBecomeAnotherProgram) {
    const pid_t root = start_slow_vfork();
    std::this_thread::sleep_for(10ms);
    std::vector<pid_t> all;
    {
        const StoppedTree stopped(root);
        all = stopped.processes();
        EXPECT_EQ(all.size(), 2u);
        for (const pid_t pid : all) EXPECT_EQ(state_of(pid), 'T');
    }
    for (const pid_t pid : all) {
        for (int i = 0; i < 1000 && state_of(pid) == 'T'; ++i) std::this_thread::sleep_for(1ms);
        EXPECT_NE(state_of(pid), 'T');
    }
    for (const pid_t pid : all) ::kill(pid, SIGKILL);
    ::waitpid(root, nullptr, 0);
}

TEST(StoppedTree, NeverStopsItself) {
    EXPECT_THROW(StoppedTree{::getpid()}, warmvm::Error);
    EXPECT_THROW(StoppedTree{::getppid()}, warmvm::Error);
}

TEST(StoppedTree, ARootThatHasEndedIsNamed) {
    const pid_t root = ::fork();
    if (root == 0) ::_exit(0);
    ::waitpid(root, nullptr, 0);
    EXPECT_THROW(StoppedTree{root}, std::runtime_error);
}

}  // namespace
}  // namespace replication::trace
