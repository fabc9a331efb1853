// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <string_view>

namespace replication::codec {

// What a decoder found. Anything but `ok` means the bytes are not what an encoder wrote for this
// receiver; nothing of the epoch or batch has then been applied.
enum class Status {
    ok,
    truncated,      // a header, a stream or a page goes past its end
    trailing,       // bytes left over after the last page
    bad_header,     // an impossible count, size or coding
    bad_entropy,    // zstd or lz4 refused a stream
    bad_order,      // pfns not strictly ascending
    bad_pfn,        // outside the guest
    bad_reference,  // a reference page that does not exist, or a kind that this use does not allow
};

std::string_view message(Status status);

}  // namespace replication::codec
