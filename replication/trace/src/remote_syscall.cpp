// SPDX-License-Identifier: GPL-2.0-only
#include "remote_syscall.hpp"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "process_tree.hpp"

namespace replication::trace {
namespace {

using warmvm::Error;

void require(bool ok, const char* what) {
    if (!ok) throw Error::from_errno(what);
}

// The vDSO falls back to real system calls, so it has the instruction; nothing in the process need
// be altered.
unsigned long find_syscall(pid_t pid) {
    for (const Mapping& mapping : mappings_of(pid)) {
        if (mapping.path != "[vdso]") continue;
        std::vector<std::uint8_t> code(mapping.end - mapping.start);
        const iovec local{code.data(), code.size()};
        // NOLINTNEXTLINE(performance-no-int-to-ptr): an address of another process
        const iovec remote{reinterpret_cast<void*>(mapping.start), code.size()};
        require(
            ::process_vm_readv(pid, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(code.size()),
            "process_vm_readv");
        constexpr std::array<std::uint8_t, 2> syscall{0x0f, 0x05};
        const auto at = std::search(code.begin(), code.end(), syscall.begin(), syscall.end());
        if (at != code.end()) return mapping.start + static_cast<unsigned long>(at - code.begin());
    }
    throw Error::of(std::errc::no_such_process, "process has no vDSO");
}

// Waits until the process stops and returns what for, as waitpid has it above the low byte: a
// signal, and a ptrace event above that.
int wait_for_stop(pid_t pid) {
    int status = 0;
    require(::waitpid(pid, &status, __WALL) == pid, "waitpid");
    if (WIFSTOPPED(status)) return status >> 8;
    throw Error::of(std::errc::no_such_process, "process ended");
}

}  // namespace

RemoteSyscall::RemoteSyscall(pid_t pid) : pid_(pid) {
    require(::ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) == 0, "PTRACE_SEIZE");
    try {
        require(::ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr) == 0, "PTRACE_INTERRUPT");
        wait_for_stop(pid);
        // The instruction is looked for only now: until a process is held it may become another
        // program.
        instruction_ = find_syscall(pid);
    } catch (...) {
        ::ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
        throw;
    }
}

RemoteSyscall::~RemoteSyscall() {
    ::ptrace(PTRACE_DETACH, pid_, nullptr, signal_);
}

long RemoteSyscall::call(long number, const std::array<unsigned long, 2>& arguments) {
    user_regs_struct saved;
    require(::ptrace(PTRACE_GETREGS, pid_, nullptr, &saved) == 0, "PTRACE_GETREGS");
    user_regs_struct regs = saved;
    regs.rip = instruction_;
    regs.rax = static_cast<unsigned long>(number);
    regs.rdi = arguments[0];
    regs.rsi = arguments[1];
    regs.orig_rax = ~0ul;  // no system call to restart here
    require(::ptrace(PTRACE_SETREGS, pid_, nullptr, &regs) == 0, "PTRACE_SETREGS");
    // Other stops may come first: the end of a stop signal, or a signal, which is put off until
    // the process goes on.
    bool done = false;
    for (int stops = 0; !done && stops < 64; ++stops) {
        require(::ptrace(PTRACE_SINGLESTEP, pid_, nullptr, nullptr) == 0, "PTRACE_SINGLESTEP");
        const int stop = wait_for_stop(pid_);
        require(::ptrace(PTRACE_GETREGS, pid_, nullptr, &regs) == 0, "PTRACE_GETREGS");
        done = stop == SIGTRAP && regs.rip != instruction_;
        if (stop < 256 && stop != SIGTRAP) signal_ = stop;
    }
    require(::ptrace(PTRACE_SETREGS, pid_, nullptr, &saved) == 0, "PTRACE_SETREGS");
    if (!done)
        throw Error::of(std::errc::timed_out,
                        "process " + std::to_string(pid_) + " does not come to its system call");
    return static_cast<long>(regs.rax);
}

}  // namespace replication::trace
