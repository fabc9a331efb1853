// SPDX-License-Identifier: GPL-2.0-only
#include "preserved/guest_record.hpp"

#include <xxhash.h>

namespace warmvm {
namespace {

constexpr std::uint64_t record_magic = 0x00006d766d726177;  // "warmvm\0\0"
constexpr std::uint32_t record_version = 1;
constexpr std::size_t checked_bytes = guest_record_bytes - sizeof(std::uint64_t);

std::uint64_t checksum(ByteView body) {
    return XXH64(body.data(), checked_bytes, 0);
}

}  // namespace

Bytes encode(const GuestRecord& record) {
    Bytes out;
    append(out, record_magic);
    append(out, record_version);
    append(out, static_cast<std::uint32_t>(guest_record_bytes));
    append(out, record.set.value());
    append(out, record.domid.value());
    append(out, record.uuid.bytes);
    append(out, record.frames);
    append(out, record.store_gfn);
    append(out, record.console_gfn);
    append(out, record.start_info_pfn);
    append(out, record.tsc_asked);
    append(out, record.tsc_suspended);
    append(out, record.tsc_preserved);
    append(out, checksum(out));
    return out;
}

GuestRecord decode_guest_record(ByteView body) {
    ByteReader in(body, "guest record");
    if (in.get<std::uint64_t>() != record_magic) throw Error(StreamErrc::bad_magic, "guest record");
    if (in.get<std::uint32_t>() != record_version) {
        throw Error(StreamErrc::bad_version, "guest record");
    }
    if (in.get<std::uint32_t>() != guest_record_bytes || body.size() != guest_record_bytes) {
        throw Error(StreamErrc::bad_length, "guest record");
    }
    if (load_at<std::uint64_t>(body, checked_bytes) != checksum(body)) {
        throw Error(StreamErrc::bad_checksum, "guest record");
    }
    GuestRecord record;
    record.set = SetId(in.get<std::uint32_t>());
    record.domid = DomId(in.get<std::uint32_t>());
    record.uuid = in.get<Uuid>();
    record.frames = in.get<std::uint64_t>();
    record.store_gfn = in.get<std::uint64_t>();
    record.console_gfn = in.get<std::uint64_t>();
    record.start_info_pfn = in.get<std::uint64_t>();
    record.tsc_asked = in.get<std::uint64_t>();
    record.tsc_suspended = in.get<std::uint64_t>();
    record.tsc_preserved = in.get<std::uint64_t>();
    return record;
}

}  // namespace warmvm
