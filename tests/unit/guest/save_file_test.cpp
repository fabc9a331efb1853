// SPDX-License-Identifier: GPL-2.0-only
#include "guest/save_file.hpp"

#include <gtest/gtest.h>

#include "save_file_parts.hpp"

namespace warmvm {
namespace {

Bytes sample(const std::string& name = "web", GuestKind kind = GuestKind::pvh) {
    auto bytes = fake::save_file_prefix(name, Uuid{}, kind);
    append(bytes, encode(GuestImage{true, 4, 17, {{RecordType::static_data_end, {}}}}));
    append(bytes, fake::save_file_suffix());
    return bytes;
}

TEST(SaveFile, ComesApartAndTogetherAgain) {
    const auto bytes = sample();
    const auto file = read_save_file(bytes);
    EXPECT_EQ(guest_name(file), "web");
    auto again = file.prefix;
    append(again, encode(file.image));
    append(again, file.suffix);
    EXPECT_EQ(again, bytes);
}

TEST(SaveFile, RefusesEveryTruncation) {
    const auto good = sample();
    for (std::size_t length = 0; length < good.size(); ++length) {
        EXPECT_THROW((void)read_save_file(ByteView(good).first(length)), Error) << length;
    }
}

TEST(SaveFile, RefusesWhatFollowsTheEnd) {
    auto bytes = sample();
    bytes.resize(bytes.size() + 8);
    EXPECT_THROW((void)read_save_file(bytes), Error);
}

TEST(SaveFile, RefusesOtherHeaders) {
    for (const std::size_t at : {0u, 32u, 36u}) {
        auto bytes = sample();
        bytes[at] ^= std::byte{8};
        EXPECT_THROW((void)read_save_file(bytes), Error) << at;
    }
}

TEST(SaveFile, RefusesNamesThatAreNone) {
    for (const auto* name : {"", "a b", "../etc", "x\\u0007", "x\\u0000y"}) {
        EXPECT_THROW((void)guest_name(read_save_file(sample(name))), Error) << name;
    }
    EXPECT_THROW((void)guest_name(read_save_file(sample(std::string(128, 'a')))), Error);
    EXPECT_EQ(guest_name(read_save_file(sample(std::string(127, 'a')))).size(), 127u);
}

TEST(SaveFile, SaysWhatKindOfGuestItIs) {
    for (const auto kind : {GuestKind::pv, GuestKind::pvh, GuestKind::hvm}) {
        EXPECT_EQ(guest_kind(read_save_file(sample("web", kind))), kind);
    }
    auto file = read_save_file(sample());
    for (const auto* config : {"", "[]", R"({"c_info":3})", R"({"c_info":{}})",
                               R"({"c_info":{"type":2}})", R"({"c_info":{"type":"pvhvm"}})"}) {
        file.config = config;
        EXPECT_EQ(guest_kind(file), std::nullopt) << config;
    }
}

TEST(SaveFile, RefusesAConfigThatIsNoObject) {
    auto file = read_save_file(sample());
    for (const auto* config : {"", "[]", "{", "{\"c_info\":3}", "{\"c_info\":{\"name\":3}}"}) {
        file.config = config;
        EXPECT_THROW((void)guest_name(file), Error) << config;
    }
}

}  // namespace
}  // namespace warmvm
