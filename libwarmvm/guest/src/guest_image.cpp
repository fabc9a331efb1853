// SPDX-License-Identifier: GPL-2.0-only
#include "guest/guest_image.hpp"

#include <arpa/inet.h>

#include <algorithm>

namespace warmvm {
namespace {

constexpr std::uint64_t image_marker = ~std::uint64_t{0};
constexpr std::uint32_t image_id = 0x58454e46;  // "XENF"
constexpr std::uint32_t image_version = 3;
constexpr std::uint32_t domain_type_pv = 1;
constexpr std::uint32_t domain_type_hvm = 2;
constexpr std::size_t record_align = 8;
constexpr std::uint8_t pv_width = 8;
constexpr std::uint8_t pv_levels = 4;
constexpr std::uint32_t p2m_entries_per_frame = page_size / pv_width;

constexpr std::size_t padding(std::size_t length) {
    return (record_align - length % record_align) % record_align;
}

bool is_known(RecordType type) {
    switch (type) {
        case RecordType::x86_pv_info:
        case RecordType::x86_pv_p2m_frames:
        case RecordType::x86_pv_vcpu_basic:
        case RecordType::x86_pv_vcpu_extended:
        case RecordType::x86_pv_vcpu_xsave:
        case RecordType::shared_info:
        case RecordType::x86_tsc_info:
        case RecordType::hvm_context:
        case RecordType::hvm_params:
        case RecordType::x86_pv_vcpu_msrs:
        case RecordType::static_data_end:
        case RecordType::x86_cpuid_policy:
        case RecordType::x86_msr_policy:
        case RecordType::preserved_memory:
            return true;
        case RecordType::end:
        case RecordType::page_data:
            return false;
    }
    return false;
}

template <class T>
T get(ByteSource& source) {
    T value{};
    source.read(std::as_writable_bytes(std::span(&value, 1)));
    return value;
}

void require(bool condition, StreamErrc code, const char* what) {
    if (!condition) throw Error(code, what);
}

void read_headers(ByteSource& source, GuestImage& image) {
    require(get<std::uint64_t>(source) == image_marker, StreamErrc::bad_magic, "image header");
    require(ntohl(get<std::uint32_t>(source)) == image_id, StreamErrc::bad_magic, "image header");
    require(ntohl(get<std::uint32_t>(source)) == image_version, StreamErrc::bad_version,
            "image header");
    // Options: bit 0 is big endian, the others are reserved. Then 6 reserved octets.
    require(get<std::uint16_t>(source) == 0, StreamErrc::bad_value, "image header's options");
    (void)get<std::uint16_t>(source);
    (void)get<std::uint32_t>(source);

    const auto type = get<std::uint32_t>(source);
    require(type == domain_type_pv || type == domain_type_hvm, StreamErrc::bad_value,
            "domain header's type");
    image.is_pv = type == domain_type_pv;
    require(get<std::uint16_t>(source) == page_shift, StreamErrc::bad_value,
            "domain header's page size");
    (void)get<std::uint16_t>(source);
    image.xen_major = get<std::uint32_t>(source);
    image.xen_minor = get<std::uint32_t>(source);
}

}  // namespace

const Record* GuestImage::find(RecordType wanted) const {
    const Record* found = nullptr;
    for (const auto& record : records) {
        if (record.type != wanted) continue;
        require(!found, StreamErrc::duplicate_record, "guest image");
        found = &record;
    }
    return found;
}

const Record& GuestImage::get(RecordType wanted) const {
    const auto* found = find(wanted);
    if (!found) {
        throw Error(StreamErrc::missing_record,
                    "guest image, type " + std::to_string(static_cast<std::uint32_t>(wanted)));
    }
    return *found;
}

void append_image_headers(Bytes& out, const GuestImage& image) {
    append(out, image_marker);
    append(out, htonl(image_id));
    append(out, htonl(image_version));
    append(out, std::uint16_t{0});  // little endian
    append(out, std::uint16_t{0});
    append(out, std::uint32_t{0});
    append(out, image.is_pv ? domain_type_pv : domain_type_hvm);
    append(out, static_cast<std::uint16_t>(page_shift));
    append(out, std::uint16_t{0});
    append(out, image.xen_major);
    append(out, image.xen_minor);
}

void append_record(Bytes& out, RecordType type, ByteView body) {
    require(body.size() <= max_record_bytes, StreamErrc::too_big, "record");
    append(out, static_cast<std::uint32_t>(type));
    append(out, static_cast<std::uint32_t>(body.size()));
    append(out, body);
    out.resize(out.size() + padding(body.size()));
}

Bytes encode(const GuestImage& image) {
    Bytes out;
    append_image_headers(out, image);
    for (const auto& record : image.records) append_record(out, record.type, record.body);
    append_record(out, RecordType::end, {});
    return out;
}

GuestImage read_guest_image(ByteSource& source) {
    GuestImage image;
    read_headers(source, image);
    std::size_t total = 0;
    for (;;) {
        const auto type = get<std::uint32_t>(source);
        const auto length = get<std::uint32_t>(source);
        require(length <= max_record_bytes, StreamErrc::too_big, "record");
        total += length;
        require(total <= max_image_bytes, StreamErrc::too_big, "guest image");
        if (static_cast<RecordType>(type) == RecordType::end) {
            require(length == 0, StreamErrc::bad_length, "END record");
            return image;
        }
        Record record{static_cast<RecordType>(type), {}};
        // The body grows as it arrives: a length nobody backs with octets must not cost memory.
        constexpr std::size_t step = 1u << 20;
        for (std::size_t have = 0; have < length;) {
            const auto part = std::min(length - have, step);
            record.body.resize(have + part);
            source.read(std::span(record.body).subspan(have));
            have += part;
        }
        std::array<std::byte, record_align> pad{};
        source.read(std::span(pad).first(padding(length)));
        if (!is_known(record.type)) {
            require(type & optional_record, StreamErrc::unknown_record, "guest image");
            continue;
        }
        image.records.push_back(std::move(record));
    }
}

Bytes encode(const TscInfo& tsc) {
    Bytes out;
    append(out, tsc.mode);
    append(out, tsc.khz);
    append(out, tsc.nsec);
    append(out, tsc.incarnation);
    append(out, std::uint32_t{0});
    return out;
}

TscInfo decode_tsc_info(ByteView body) {
    require(body.size() == 24, StreamErrc::bad_length, "X86_TSC_INFO");
    ByteReader in(body, "X86_TSC_INFO");
    TscInfo tsc;
    tsc.mode = in.get<std::uint32_t>();
    tsc.khz = in.get<std::uint32_t>();
    tsc.nsec = in.get<std::uint64_t>();
    tsc.incarnation = in.get<std::uint32_t>();
    return tsc;
}

Bytes encode(const std::vector<HvmParam>& params) {
    Bytes out;
    append(out, static_cast<std::uint32_t>(params.size()));
    append(out, std::uint32_t{0});
    for (const auto& param : params) {
        append(out, param.index);
        append(out, param.value);
    }
    return out;
}

std::vector<HvmParam> decode_hvm_params(ByteView body) {
    ByteReader in(body, "HVM_PARAMS");
    const auto count = in.get<std::uint32_t>();
    (void)in.get<std::uint32_t>();
    require(in.left() == std::uint64_t{count} * sizeof(HvmParam), StreamErrc::bad_length,
            "HVM_PARAMS");
    std::vector<HvmParam> params(count);
    for (auto& param : params) {
        param.index = in.get<std::uint64_t>();
        param.value = in.get<std::uint64_t>();
    }
    return params;
}

Bytes encode(const P2mFrames& frames) {
    Bytes out;
    append(out, std::uint32_t{0});
    append(out, frames.max_pfn);
    for (const auto pfn : frames.pfns) append(out, pfn.value());
    return out;
}

P2mFrames decode_p2m_frames(ByteView body) {
    ByteReader in(body, "X86_PV_P2M_FRAMES");
    require(in.get<std::uint32_t>() == 0, StreamErrc::bad_value, "X86_PV_P2M_FRAMES' first pfn");
    P2mFrames frames;
    frames.max_pfn = in.get<std::uint32_t>();
    const std::uint64_t count = frames.max_pfn / p2m_entries_per_frame + 1;
    require(in.left() == count * sizeof(std::uint64_t), StreamErrc::bad_length,
            "X86_PV_P2M_FRAMES");
    for (std::uint64_t i = 0; i < count; ++i) frames.pfns.emplace_back(in.get<std::uint64_t>());
    return frames;
}

Bytes encode_pv_info() {
    Bytes out(8);
    out[0] = std::byte{pv_width};
    out[1] = std::byte{pv_levels};
    return out;
}

void check_pv_info(ByteView body) {
    require(body.size() >= 8, StreamErrc::bad_length, "X86_PV_INFO");
    require(body[0] == std::byte{pv_width} && body[1] == std::byte{pv_levels},
            StreamErrc::bad_value, "X86_PV_INFO: not a 64-bit guest");
}

Bytes encode(VcpuId vcpu, ByteView context) {
    Bytes out;
    append(out, vcpu.value());
    append(out, std::uint32_t{0});
    append(out, context);
    return out;
}

VcpuRecord decode_vcpu(ByteView body) {
    ByteReader in(body, "X86_PV_VCPU");
    const VcpuId vcpu(in.get<std::uint32_t>());
    (void)in.get<std::uint32_t>();
    return {vcpu, in.take(in.left())};
}

}  // namespace warmvm
