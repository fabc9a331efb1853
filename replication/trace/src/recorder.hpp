// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <sys/types.h>

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "trace/trace_file.hpp"
#include "written_pages.hpp"

namespace replication::trace {

// Records which pages a process and its descendants write, epoch by epoch (docs/specs/trace.md):
// private writable memory, and shared memory that no disk file is behind, once however many map it.
// Processes that start later are taken in.
class Recorder {
  public:
    // wait: lets time pass; what it throws ends the recording between two epochs.
    using Wait = std::function<void(std::chrono::microseconds)>;
    Recorder(pid_t root, const std::string& path, Wait wait);

    // Writes the image as it is now; once, first.
    void first_image();
    // Lets the processes run for `interval`, stops them, and writes what they wrote. Throws
    // Error (no_such_process) when the root has ended.
    void epoch(std::chrono::microseconds interval);
    void close() { trace_.close(); }

    std::uint64_t pages_written() const { return pages_written_; }

  private:
    Wait wait_;
    // Where a page lives: a process's address, or a place in shared memory.
    struct Place {
        std::uint64_t owner;  // pid, or device and inode
        std::uint64_t page;
        auto operator<=>(const Place&) const = default;
    };
    struct HashPlace {
        std::size_t operator()(const Place& place) const {
            return std::hash<std::uint64_t>{}(place.owner * 0x9e3779b97f4a7c15 ^ place.page);
        }
    };
    struct Written {
        std::uint32_t pfn;
        pid_t pid;
        unsigned long address;
    };

    void take_in_new_processes();
    void collect();
    void collect(pid_t pid, WrittenPages& written);
    std::uint32_t number(const Place& place);
    void read_pages();

    pid_t root_;
    TraceWriter trace_;
    std::map<pid_t, std::unique_ptr<WrittenPages>> processes_;
    std::unordered_map<Place, std::uint32_t, HashPlace> numbers_;
    std::vector<WrittenPages::Range> ranges_;
    std::vector<Written> written_;
    std::vector<std::uint32_t> pfns_;
    Bytes pages_;
    std::uint64_t pages_written_ = 0;
};

}  // namespace replication::trace
