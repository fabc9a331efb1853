// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "guest/guest_pages.hpp"
#include "guest/undo.hpp"
#include "xen/log_dirty.hpp"

namespace warmvm {

// Copies out what a running guest writes, by Xen's log-dirty mode, which the guest is in for the
// life of the object. The guest stands still only while the pages it wrote are copied, so that they
// are of one moment. Memory: the pages of the largest copy, and a bit for every page of the guest;
// a PV guest's p2m as well.
class DirtyPages {
  public:
    // The ports outlive the object; `name` is for messages. A PV guest is paused for the moment in
    // which its p2m is read. Throws Error; device_or_resource_busy if Xen does not log what this
    // guest writes (guest/log_dirty_mode.hpp), of stream_category for a p2m that cannot be
    // followed.
    DirtyPages(DomainControl& domains, GuestMemory& memory, LogDirty& log_dirty,
               const DomainInfo& guest, std::string name);

    // Every page's number is below.
    [[nodiscard]] std::uint32_t count() const { return pages_.count(); }

    // Pages by the guest's own numbers, ascending, and their contents, one after the other. Both
    // live until the next call.
    struct Copy {
        std::span<const std::uint32_t> pages;
        ByteView contents;
    };
    // Those of the `count` pages from `first` on that are there. The guest goes on meanwhile: what
    // it writes to them is in the next take_written() too.
    Copy read(std::uint32_t first, std::uint32_t count);
    // Pauses the guest and copies the pages it has written since the last call, or since the
    // object was made. Those that are not there any more are left out.
    Copy take_written();
    // When the guest went on after that.
    [[nodiscard]] std::chrono::steady_clock::time_point resumed() const { return resumed_; }

    // Switches log-dirty mode off before the object ends, to learn of a failure; last.
    void close() { log_dirty_mode_.now(); }

  private:
    GuestPages find_pages(GuestMemory& memory);
    Copy copy_out();

    DomainControl& domains_;
    LogDirty& log_dirty_;
    DomainInfo guest_;
    std::string name_;
    GuestPages pages_;
    Undo log_dirty_mode_;
    std::vector<std::uint64_t> written_;  // a bit a page
    std::vector<std::uint32_t> numbers_;
    Bytes contents_;
    std::chrono::steady_clock::time_point resumed_;
};

}  // namespace warmvm
