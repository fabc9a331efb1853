// SPDX-License-Identifier: GPL-2.0-only
// A guest's image in libxc's migration stream v3 (docs/specs/libxc-migration-stream.pandoc of Xen),
// held whole: the images this project writes carry state, not memory.
//
//   | image header, 24 octets | domain header, 16 | record | record | ... | END |
//   record: u32 type, u32 length, body, zeros up to a multiple of 8
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "xen/guest_context.hpp"
#include "xen/types.hpp"

namespace warmvm {

enum class RecordType : std::uint32_t {
    end = 0x00,
    page_data = 0x01,
    x86_pv_info = 0x02,
    x86_pv_p2m_frames = 0x03,
    x86_pv_vcpu_basic = 0x04,
    x86_pv_vcpu_extended = 0x05,
    x86_pv_vcpu_xsave = 0x06,
    shared_info = 0x07,
    x86_tsc_info = 0x08,
    hvm_context = 0x09,
    hvm_params = 0x0a,
    x86_pv_vcpu_msrs = 0x0c,
    static_data_end = 0x10,
    x86_cpuid_policy = 0x11,
    x86_msr_policy = 0x12,
    // Ours: docs/specs/guest-record.md. Optional, so stock tools skip it.
    preserved_memory = 0x80574d52,
};
inline constexpr std::uint32_t optional_record = 0x80000000;

// Restore refuses longer records (xg_sr_stream_format.h: REC_LENGTH_MAX).
inline constexpr std::uint32_t max_record_bytes = 128u << 20;
// A whole image is no longer, as this project reads it: without page data.
inline constexpr std::size_t max_image_bytes = 256u << 20;

struct Record {
    RecordType type{};
    Bytes body;
};

struct GuestImage {
    bool is_pv = false;  // else PVH or HVM
    std::uint32_t xen_major{};
    std::uint32_t xen_minor{};
    std::vector<Record> records;  // without END

    // The only record of its kind, or null. Throws StreamErrc::duplicate_record.
    [[nodiscard]] const Record* find(RecordType type) const;
    // Throws StreamErrc::missing_record.
    [[nodiscard]] const Record& get(RecordType type) const;
};

void append_image_headers(Bytes& out, const GuestImage& image);
void append_record(Bytes& out, RecordType type, ByteView body);
Bytes encode(const GuestImage& image);

// Reads headers, records and END, and not an octet more. Throws Error of stream_category for
// anything that Xen's own restore would refuse, and for PAGE_DATA, which no image of ours has.
GuestImage read_guest_image(ByteSource& source);

// Bodies of the records, xg_sr_stream_format.h.
Bytes encode(const TscInfo& tsc);
TscInfo decode_tsc_info(ByteView body);
Bytes encode(const std::vector<HvmParam>& params);
std::vector<HvmParam> decode_hvm_params(ByteView body);

struct P2mFrames {
    std::uint32_t max_pfn{};  // inclusive
    std::vector<Pfn> pfns;    // of the p2m's own pages, 512 entries each
    friend bool operator==(const P2mFrames&, const P2mFrames&) = default;
};
Bytes encode(const P2mFrames& frames);
P2mFrames decode_p2m_frames(ByteView body);

// 64-bit only: the one combination of width and levels this project carries.
Bytes encode_pv_info();
void check_pv_info(ByteView body);

struct VcpuRecord {
    VcpuId vcpu;
    ByteView context;  // of the body it was decoded from
};
Bytes encode(VcpuId vcpu, ByteView context);
VcpuRecord decode_vcpu(ByteView body);

}  // namespace warmvm
