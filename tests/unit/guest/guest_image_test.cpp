// SPDX-License-Identifier: GPL-2.0-only
#include "guest/guest_image.hpp"

#include <gtest/gtest.h>

namespace warmvm {
namespace {

GuestImage sample() {
    return {false,
            4,
            17,
            {{RecordType::x86_cpuid_policy, Bytes(24, std::byte{1})},
             {RecordType::static_data_end, {}},
             {RecordType::x86_tsc_info, encode(TscInfo{2, 2600000, 99, 1})},
             {RecordType::hvm_context, Bytes(13, std::byte{7})}}};
}

GuestImage read(const Bytes& bytes) {
    MemorySource source(bytes);
    return read_guest_image(source);
}

std::error_code failure(const Bytes& bytes) {
    try {
        (void)read(bytes);
    } catch (const Error& error) {
        return error.code();
    }
    ADD_FAILURE() << "was read";
    return {};
}

TEST(GuestImage, ReadsWhatItWrites) {
    const auto image = read(encode(sample()));
    EXPECT_FALSE(image.is_pv);
    EXPECT_EQ(image.xen_major, 4u);
    EXPECT_EQ(image.xen_minor, 17u);
    ASSERT_EQ(image.records.size(), 4u);
    EXPECT_EQ(image.get(RecordType::hvm_context).body, Bytes(13, std::byte{7}));
    EXPECT_EQ(decode_tsc_info(image.get(RecordType::x86_tsc_info).body).khz, 2600000u);
}

TEST(GuestImage, StopsAtItsEnd) {
    auto bytes = encode(sample());
    const auto length = bytes.size();
    bytes.resize(length + 100, std::byte{0xff});
    MemorySource source(bytes);
    (void)read_guest_image(source);
    EXPECT_EQ(source.position(), length);
}

TEST(GuestImage, RefusesEveryTruncation) {
    const auto good = encode(sample());
    for (std::size_t length = 0; length < good.size(); ++length) {
        EXPECT_EQ(failure(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length))),
                  StreamErrc::truncated)
            << length;
    }
}

TEST(GuestImage, SkipsUnknownOptionalRecordsAndRefusesMandatoryOnes) {
    auto image = sample();
    image.records.push_back({static_cast<RecordType>(0x80001234), Bytes(3)});
    EXPECT_EQ(read(encode(image)).records.size(), 4u);
    image.records.back().type = static_cast<RecordType>(0x1234);
    EXPECT_EQ(failure(encode(image)), StreamErrc::unknown_record);
    image.records.back().type = RecordType::page_data;
    EXPECT_EQ(failure(encode(image)), StreamErrc::unknown_record);
}

TEST(GuestImage, RefusesHeadersOfOtherStreams) {
    const auto with = [](std::size_t at, std::uint8_t value) {
        auto bytes = encode(sample());
        bytes[at] = std::byte{value};
        return failure(bytes);
    };
    EXPECT_EQ(with(0, 0), StreamErrc::bad_magic);
    EXPECT_EQ(with(8, 0), StreamErrc::bad_magic);
    EXPECT_EQ(with(15, 2), StreamErrc::bad_version);
    EXPECT_EQ(with(17, 1), StreamErrc::bad_value);  // big endian
    EXPECT_EQ(with(24, 9), StreamErrc::bad_value);  // type
    EXPECT_EQ(with(28, 13), StreamErrc::bad_value);
}

TEST(GuestImage, AHugeRecordThatIsNotThereCostsNothing) {
    Bytes bytes;
    append_image_headers(bytes, sample());
    append(bytes, std::uint32_t{0x09});
    append(bytes, max_record_bytes);
    EXPECT_EQ(failure(bytes), StreamErrc::truncated);
    Bytes larger(bytes.begin(), bytes.end() - 4);
    append(larger, max_record_bytes + 1);
    EXPECT_EQ(failure(larger), StreamErrc::too_big);
}

TEST(GuestImage, FindsNoRecordTwice) {
    auto image = sample();
    image.records.push_back(image.records.front());
    EXPECT_THROW((void)image.find(RecordType::x86_cpuid_policy), Error);
    EXPECT_THROW((void)image.get(RecordType::shared_info), Error);
    EXPECT_EQ(image.find(RecordType::shared_info), nullptr);
}

TEST(GuestImage, ChecksLengthsOfBodies) {
    EXPECT_THROW((void)decode_tsc_info(Bytes(23)), Error);
    auto params = encode(std::vector<HvmParam>{{1, 2}, {3, 4}});
    EXPECT_EQ(decode_hvm_params(params).at(1), (HvmParam{3, 4}));
    params[0] = std::byte{3};
    EXPECT_THROW((void)decode_hvm_params(params), Error);
    auto frames = encode(P2mFrames{600, {Pfn(5), Pfn(6)}});
    EXPECT_EQ(decode_p2m_frames(frames).pfns.at(1), Pfn(6));
    store_at(std::span(frames), 4, std::uint32_t{0xffffffff});
    EXPECT_THROW((void)decode_p2m_frames(frames), Error);
    EXPECT_NO_THROW(check_pv_info(encode_pv_info()));
    auto narrow = encode_pv_info();
    narrow[0] = std::byte{4};
    EXPECT_THROW(check_pv_info(narrow), Error);
}

}  // namespace
}  // namespace warmvm
