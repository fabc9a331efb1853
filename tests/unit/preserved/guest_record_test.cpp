// SPDX-License-Identifier: GPL-2.0-only
#include "preserved/guest_record.hpp"

#include <gtest/gtest.h>

#include "base/file.hpp"

namespace warmvm {
namespace {

GuestRecord sample() {
    GuestRecord record;
    record.set = SetId(7);
    record.domid = DomId(3);
    for (std::size_t i = 0; i < record.uuid.bytes.size(); ++i) {
        record.uuid.bytes[i] = static_cast<std::uint8_t>(0xa0 + i);
    }
    record.frames = 65536;
    record.store_gfn = 0xfeffc;
    record.console_gfn = 0xfefff;
    record.start_info_pfn = 0x1234;
    record.tsc_asked = 1000;
    record.tsc_suspended = 2000;
    record.tsc_preserved = 3000;
    return record;
}

StreamErrc failure(const Bytes& bytes) {
    try {
        (void)decode_guest_record(bytes);
    } catch (const Error& error) {
        EXPECT_EQ(error.code().category(), stream_category());
        return static_cast<StreamErrc>(error.code().value());
    }
    ADD_FAILURE() << "decoded";
    return {};
}

TEST(GuestRecord, DecodesWhatItEncodes) {
    EXPECT_EQ(decode_guest_record(encode(sample())), sample());
}

// docs/specs/guest-record.golden: a record of another version of this program must read the same.
TEST(GuestRecord, IsTheGoldenBytes) {
    const auto golden = read_file("docs/specs/guest-record.golden", 4096);
    EXPECT_EQ(encode(sample()), golden);
    EXPECT_EQ(decode_guest_record(golden), sample());
}

TEST(GuestRecord, RefusesEveryFlippedBit) {
    const auto good = encode(sample());
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
        auto bad = good;
        bad[bit / 8] ^= std::byte{1} << (bit % 8);
        EXPECT_THROW((void)decode_guest_record(bad), Error) << bit;
    }
}

TEST(GuestRecord, SaysWhatIsWrong) {
    auto bytes = encode(sample());
    EXPECT_EQ(failure({}), StreamErrc::truncated);
    bytes[8] = std::byte{2};
    EXPECT_EQ(failure(bytes), StreamErrc::bad_version);
    bytes = encode(sample());
    bytes.push_back({});
    EXPECT_EQ(failure(bytes), StreamErrc::bad_length);
    bytes = encode(sample());
    bytes[50] ^= std::byte{1};
    EXPECT_EQ(failure(bytes), StreamErrc::bad_checksum);
    bytes[0] = {};
    EXPECT_EQ(failure(bytes), StreamErrc::bad_magic);
}

}  // namespace
}  // namespace warmvm
