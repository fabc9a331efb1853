// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace replication::trace {

// One line of /proc/PID/maps.
struct Mapping {
    unsigned long start = 0;
    unsigned long end = 0;
    bool readable = false;
    bool writable = false;
    bool shared = false;
    std::uint64_t offset = 0;  // bytes into the file
    unsigned device_major = 0;
    unsigned device_minor = 0;
    std::uint64_t inode = 0;
    std::string path;
};

// The lines of a process that runs; none for one that has ended.
std::vector<Mapping> mappings_of(pid_t pid);

// A process's letter in /proc ('T' stopped, 'Z' ended); 0 if there is no such process.
char state_of(pid_t pid);
// Whether the process is gone, or only waits for its parent to ask for its status.
bool has_ended(pid_t pid);
// A thread of the kernel has no memory of its own. Throws Error if the process may not be looked
// at.
bool has_memory(pid_t pid);

// A process and its descendants, stopped for the time of this object by SIGSTOP, so that their
// memory is of one moment.
class StoppedTree {
  public:
    // Throws Error: no_such_process when `root` has ended, timed_out when the tree does not come to
    // rest, invalid_argument when this process belongs to it, operation_not_permitted when one of
    // it may not be stopped.
    explicit StoppedTree(pid_t root);
    ~StoppedTree() = default;
    StoppedTree(const StoppedTree&) = delete;
    StoppedTree& operator=(const StoppedTree&) = delete;

    // The processes that are stopped, ascending.
    const std::vector<pid_t>& processes() const { return processes_; }

  private:
    // The processes that were stopped. When it ends, they all go on, those too that have left the
    // tree since.
    class Stops {
      public:
        Stops() = default;
        ~Stops() { let_go(); }
        Stops(const Stops&) = delete;
        Stops& operator=(const Stops&) = delete;
        void stop(pid_t pid);
        void let_go();

      private:
        std::set<pid_t> stopped_;
    };

    bool come_to_rest(pid_t root);

    std::vector<pid_t> processes_;
    Stops stops_;
};

}  // namespace replication::trace
