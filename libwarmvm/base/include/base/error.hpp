// SPDX-License-Identifier: GPL-2.0-only
// One exception type for what ends an operation. Outcomes a caller expects (no such domain, a guest
// that cannot be preserved) are values of the functions that may have them.
#pragma once

#include <string>
#include <system_error>

namespace warmvm {

// what() names the call and the domain or file: "preserve(dom7): Device or resource busy".
class Error : public std::system_error {
  public:
    Error(std::error_code code, const std::string& what) : std::system_error(code, what) {}
    // The code is the calling thread's errno; call it on the line after the failure.
    static Error from_errno(const std::string& what);
    static Error of(std::errc condition, const std::string& what);
};

// What is wrong with bytes that came from a file, a guest or another hypervisor.
enum class StreamErrc {
    truncated = 1,
    bad_magic,
    bad_version,
    bad_length,
    bad_checksum,
    bad_value,
    unknown_record,
    missing_record,
    duplicate_record,
    too_big,
    // Of a replication stream (docs/specs/stream.md):
    bad_header,    // impossible sizes, or not those that were agreed on
    bad_record,    // it may not come here, or is not of its type's length
    bad_sequence,  // a record is lost, repeated or out of order
    bad_epoch,     // an epoch's number, counts or digest do not fit
    bad_pages,     // a chunk does not decode
    wrong_base,    // coded against an epoch that the receiver is not at
    bad_image,     // an image's count or digest does not fit
};
const std::error_category& stream_category();
std::error_code make_error_code(StreamErrc code);

}  // namespace warmvm

template <>
struct std::is_error_code_enum<warmvm::StreamErrc> : std::true_type {};
