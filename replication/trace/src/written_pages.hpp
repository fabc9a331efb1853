// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <sys/types.h>

#include <vector>

#include "base/file.hpp"
#include "process_tree.hpp"

namespace replication::trace {

// Which pages of a process were written since the last question, from the kernel: a userfaultfd of
// the process in asynchronous write-protect mode, asked by PAGEMAP_SCAN (Linux 6.7 and later; the
// kernel's Documentation/admin-guide/mm/pagemap.rst). The process keeps no trace of it when the
// object ends.
class WrittenPages {
  public:
    // The process must be running, not stopped. Throws Error if the kernel or the
    // rights do not allow it.
    explicit WrittenPages(pid_t pid);

    struct Range {
        unsigned long start;
        unsigned long end;
    };
    // Written pages of one mapping of the stopped process, and starts anew for them. All of its
    // pages the first time. Throws Error; with ESRCH if the process has ended or runs
    // another program now.
    void take(const Mapping& mapping, std::vector<Range>& ranges);

  private:
    warmvm::Fd faults_;
    warmvm::Fd pagemap_;
};

}  // namespace replication::trace
