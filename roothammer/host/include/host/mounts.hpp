// SPDX-License-Identifier: GPL-2.0-only
// What is mounted from block devices, and how, so that it can be made read-only and put back.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace roothammer {

struct Mount {
    std::string device;     // major:minor
    std::string point;      // as mountinfo has it: a space is \040
    bool writable = false;  // its file system, which is what an emergency remount changes
    unsigned long flags =
        0;  // mount(2)'s of this mount and its file system, MS_RDONLY not among them
    bool read_only = false;  // this mount, of a file system that may be writable
    friend bool operator==(const Mount&, const Mount&) = default;
};

// Text of proc(5), mountinfo. What is on no device of its own (tmpfs, proc, overlay, NFS) and lines
// that are none are left out.
std::vector<Mount> block_mounts(std::string_view mountinfo);

// One mount a line, and back; a line that is none is left out.
std::string to_text(const std::vector<Mount>& mounts);
std::vector<Mount> mounts_from_text(std::string_view text);

// One mount for each device's writable file system, by which to make it writable again: one that
// is itself writable where there is one.
std::vector<Mount> to_be_put_back(const std::vector<Mount>& mounts);

// The path that point stands for.
std::string unescape(std::string_view point);

}  // namespace roothammer
