// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "guest/dirty_pages.hpp"
#include "trace/trace_file.hpp"
#include "xen/store.hpp"

namespace replication::trace {

// What recording a guest takes of Xen.
struct GuestPorts {
    warmvm::DomainControl& domains;
    warmvm::Store& store;
    warmvm::GuestMemory& memory;
    warmvm::LogDirty& log_dirty;
};

struct RunningGuest {
    std::string name;
    warmvm::DomainInfo info;
};

// By name or domid. Throws std::runtime_error, saying how to mend it, for one that cannot be
// recorded.
RunningGuest find_guest(const GuestPorts& ports, const std::string& name_or_domid);

// Records what a running guest writes (docs/specs/trace.md). Memory: that of DirtyPages.
class GuestRecorder {
  public:
    // Lets time pass; what it throws ends the recording. Called often while the guest's memory is
    // read for the first time, with 0.
    using Wait = std::function<void(std::chrono::microseconds)>;

    // The ports outlive the object. Throws Error as DirtyPages does, and if the file cannot be
    // written.
    GuestRecorder(const GuestPorts& ports, const RunningGuest& guest, const std::string& path,
                  Wait wait);

    // Writes the image, as it is at the end of the call; once, first.
    void first_image();
    // Lets the guest run for `interval` since the end of the last epoch, and writes what it wrote.
    void epoch(std::chrono::microseconds interval);
    // Puts the guest back to where it was, and completes the trace.
    void close();

    std::uint64_t pages_written() const { return pages_written_; }

  private:
    void write_image(const warmvm::DirtyPages::Copy& copy, bool zeros);

    Wait wait_;
    TraceWriter trace_;
    warmvm::DirtyPages pages_;
    std::uint64_t pages_written_ = 0;
};

}  // namespace replication::trace
