// SPDX-License-Identifier: GPL-2.0-only
// A file that `xl save` wrote (tools/xl/xl.h: save_file_header) around a libxl stream
// (docs/specs/libxl-migration-stream.pandoc) around a guest's image. A preserved set's blob is one.
//
//   | xl header | config, JSON | libxl header | LIBXC_CONTEXT | guest image | libxl records, END |
//   |<------------------------ prefix -------------------->|               |<----- suffix ----->|
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "guest/guest_image.hpp"

namespace warmvm {

struct SaveFile {
    Bytes prefix;
    std::string config;  // as in the file; the name is hostile until checked
    GuestImage image;
    Bytes suffix;
};

// Throws Error of stream_category. Images with page data are refused: no blob of ours has any.
SaveFile read_save_file(ByteView file);

// Not empty, at most 127 octets, no spaces, control characters or '/': a name is a word of a
// command line and of a log line, and "set 3" is no guest's.
bool is_guest_name(std::string_view name);

// c_info.name of the JSON config. Throws Error (bad_value) if there is none or it is no such name.
std::string guest_name(const SaveFile& file);

// c_info.type of the JSON config; nullopt if there is none, or it is no guest's.
std::optional<GuestKind> guest_kind(const SaveFile& file);

}  // namespace warmvm
