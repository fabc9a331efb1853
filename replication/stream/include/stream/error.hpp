// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <system_error>

namespace replication::stream {

// What is wrong with a stream. The connection is of no further use after any of them.
enum class Errc {
    bad_magic = 1,
    bad_version,
    bad_header,    // impossible sizes in the stream header
    bad_checksum,  // header or record
    bad_record,    // unknown type, wrong length, or a record that may not come here
    bad_sequence,  // a record lost, repeated or out of order
    bad_epoch,     // epoch numbers, counts or digest do not fit
    bad_pages,     // a chunk does not decode (codec::Status says why)
    wrong_base,    // coded against an epoch that the receiver is not at
    bad_image,     // count or digest of an image do not fit
    cut_short,     // the stream ended inside a record or an epoch
};

// The one category of these codes.
const std::error_category& stream_category() noexcept;

inline std::error_code make_error_code(Errc code) noexcept {
    return {static_cast<int>(code), stream_category()};
}

}  // namespace replication::stream

template <>
struct std::is_error_code_enum<replication::stream::Errc> : std::true_type {};
