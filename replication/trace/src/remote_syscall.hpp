// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <sys/types.h>

#include <array>

namespace replication::trace {

// Holds a process by ptrace for the time of this object and makes it run system calls: what must be
// asked for by the process itself, as userfaultfd must. The process goes on where it was when the
// object ends; a call it waited in is restarted by the kernel as after any signal. Needs the right
// to trace it.
class RemoteSyscall {
  public:
    // Throws Error if the process cannot be traced; with ESRCH if it has ended.
    explicit RemoteSyscall(pid_t pid);
    ~RemoteSyscall();
    RemoteSyscall(const RemoteSyscall&) = delete;
    RemoteSyscall& operator=(const RemoteSyscall&) = delete;

    // What the call returned in the process: -errno on failure. Throws Error if the
    // process died.
    long call(long number, const std::array<unsigned long, 2>& arguments);

  private:
    pid_t pid_;
    unsigned long instruction_ = 0;  // address of a SYSCALL in the process
    int signal_ = 0;                 // to be delivered when the process goes on
};

}  // namespace replication::trace
