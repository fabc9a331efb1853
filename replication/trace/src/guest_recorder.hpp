// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "guest/guest_pages.hpp"
#include "trace/trace_file.hpp"
#include "xen/log_dirty.hpp"
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

// Something done to a guest that is undone when the object ends, whatever becomes of the recording.
class Undo {
  public:
    // what, mend: for the operator, should it fail at the end: "is paused", "xl unpause db".
    Undo(std::function<void()> undo, std::string what, std::string mend);
    ~Undo();
    Undo(const Undo&) = delete;
    Undo& operator=(const Undo&) = delete;
    // Now; what it throws is the caller's, and it is tried once more at the end.
    void now();

  private:
    std::function<void()> undo_;
    std::string what_;
    std::string mend_;
};

// Records what a running guest writes (docs/specs/trace.md), by Xen's log-dirty mode. The guest
// stands still only while the pages it wrote in an epoch are copied, so that they are of one
// moment. In memory: the pages of one epoch, and a bit for every page of the guest; a PV guest's
// p2m as well.
class GuestRecorder {
  public:
    // Lets time pass; what it throws ends the recording. Called often while the guest's memory is
    // read for the first time, with 0.
    using Wait = std::function<void(std::chrono::microseconds)>;

    // Throws std::runtime_error if Xen does not log what this guest writes.
    GuestRecorder(const GuestPorts& ports, RunningGuest guest, const std::string& path, Wait wait);

    // The image as it is at the end of the call; once, first.
    void first_image();
    // Lets the guest run for `interval` since the end of the last epoch, and writes what it wrote.
    void epoch(std::chrono::microseconds interval);
    // The guest is as it was before; completes the trace.
    void close();

    std::uint64_t pages_written() const { return pages_written_; }

  private:
    using Clock = std::chrono::steady_clock;

    warmvm::GuestPages find_pages();
    void copy_out();
    void take_written();
    void write_image(bool zeros);

    GuestPorts ports_;
    RunningGuest guest_;
    Wait wait_;
    TraceWriter trace_;
    warmvm::GuestPages guest_pages_;
    Undo log_dirty_;
    std::vector<std::uint64_t> written_;  // a bit a page
    std::vector<std::uint32_t> pfns_;
    Bytes room_;
    ByteView pages_;  // of it: the contents of pfns_
    Clock::time_point resumed_;
    std::uint64_t pages_written_ = 0;
};

}  // namespace replication::trace
