// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "read_record.hpp"

namespace record_test {
namespace {

class SetCheck : public testing::Test {
  protected:
    SetCheck() { memory_.add_ram(sample_ram); }
    ~SetCheck() override {
        preserved_chain_free(&rec_.extents);
        preserved_chain_free(&rec_.blob);
        EXPECT_EQ(memory_.allocated(), 0u);
    }
    void make(std::uint8_t type, const std::vector<preserved_run>& runs) {
        preserved_chain_free(&rec_.extents);
        preserved_chain_free(&rec_.blob);
        rec_ = {};
        rec_.type = type;
        rec_.extents = write_runs(runs);
        rec_.blob = write_bytes(std::vector<std::uint8_t>(5000, 1));
        rec_.nr_extents = runs.size();
        for (const auto& run : runs) rec_.frames += run.count;
    }
    int check() {
        where_ = 12345;
        return preserved_set_check(&rec_, &where_);
    }

    FakeMemory memory_;
    preserved_set_rec rec_{};
    std::uint64_t where_ = 0;
};

TEST_F(SetCheck, AcceptsWhatWasWritten) {
    make(XEN_PRESERVED_HVM, {{0, 0x2000, 512, 0}, {512, 0x4000, 1, 0}});
    EXPECT_EQ(check(), 0);
    EXPECT_EQ(where_, 0u);
    make(XEN_PRESERVED_PV, {{7, 0x2000, 1, 4}, {8, 0x2001, 1, 1}, {9, 0x2002, 2, 0}});
    EXPECT_EQ(check(), 0);
    make(XEN_PRESERVED_PV, {});
    EXPECT_EQ(check(), 0) << "a set without frames";
}

TEST_F(SetCheck, TypesAreThoseThatAreKnown) {
    make(XEN_PRESERVED_HVM, {{0, 0x2000, 512, 0}});
    for (unsigned type = XEN_PRESERVED_HVM + 1; type < 256; ++type) {
        rec_.type = static_cast<std::uint8_t>(type);
        EXPECT_EQ(check(), XEN_PRESERVED_REASON_ENCODING);
    }
}

TEST_F(SetCheck, OnlyPvHasPins) {
    for (std::uint32_t pin = 1; pin <= 4; ++pin) {
        make(XEN_PRESERVED_PV, {{0, 0x2000, 1, pin}});
        EXPECT_EQ(check(), 0);
        rec_.type = XEN_PRESERVED_HVM;
        EXPECT_EQ(check(), XEN_PRESERVED_REASON_ENCODING);
    }
}

TEST_F(SetCheck, AGuestsFramesHaveNumbersThatAnAddressCanName) {
    make(XEN_PRESERVED_HVM, {{PRESERVED_GFN_MAX - 2, 0x2000, 2, 0}});
    EXPECT_EQ(check(), 0);
    for (const std::uint64_t gfn : {PRESERVED_GFN_MAX - 1, PRESERVED_GFN_MAX, 1ull << 63}) {
        make(XEN_PRESERVED_HVM, {{gfn, 0x2000, 2, 0}});
        EXPECT_EQ(check(), XEN_PRESERVED_REASON_ENCODING) << gfn;
    }
}

TEST_F(SetCheck, TotalsMustAgree) {
    make(XEN_PRESERVED_HVM, {{0, 0x2000, 512, 0}, {600, 0x4000, 3, 0}});
    for (auto* total : {&rec_.frames, &rec_.nr_extents}) {
        const auto right = *total;
        for (const std::uint64_t wrong :
             {right - 1, right + 1, std::uint64_t{0}, ~std::uint64_t{0}}) {
            *total = wrong;
            EXPECT_EQ(check(), XEN_PRESERVED_REASON_LENGTH);
        }
        *total = right;
    }
    EXPECT_EQ(check(), 0);
}

TEST_F(SetCheck, EveryFrameMustBeRam) {
    const auto first = sample_ram.first, end = sample_ram.first + sample_ram.count;
    const auto reason_of = [&](std::uint64_t mfn, std::uint32_t count) {
        make(XEN_PRESERVED_HVM, {{0, first + 8, 4, 0}, {99, mfn, count, 0}});
        return check();
    };
    EXPECT_EQ(reason_of(first, 1), 0);
    EXPECT_EQ(reason_of(end - 3, 3), 0);
    struct Bad {
        std::uint64_t mfn;
        std::uint32_t count;
    };
    for (const auto& bad : {Bad{first - 1, 1}, Bad{first - 1, 2}, Bad{end, 1}, Bad{end - 1, 2},
                            Bad{0, 1}, Bad{first, PRESERVED_COUNT_MAX}, Bad{~0ull - 1, 1}}) {
        EXPECT_EQ(reason_of(bad.mfn, bad.count), XEN_PRESERVED_REASON_NOT_RAM);
        EXPECT_EQ(where_, bad.mfn);
    }
}

TEST_F(SetCheck, BothChainsAreChecked) {
    make(XEN_PRESERVED_HVM, {{0, 0x2000, 512, 0}});
    for (auto* chain : {&rec_.extents, &rec_.blob}) {
        chain->xxh64 ^= 1;
        EXPECT_EQ(check(), XEN_PRESERVED_REASON_CHECKSUM);
        chain->xxh64 ^= 1;
        const auto bytes = std::exchange(chain->bytes, PRESERVED_CHAIN_MAX + 1);
        EXPECT_EQ(check(), XEN_PRESERVED_REASON_LENGTH);
        chain->bytes = bytes;
        const auto index = std::exchange(chain->index_mfn, 0);
        EXPECT_EQ(check(), XEN_PRESERVED_REASON_NOT_RAM);
        chain->index_mfn = index;
    }
    EXPECT_EQ(check(), 0);
}

TEST_F(SetCheck, ExtentsCutShortAreRefusedThoughTheChecksumIsRight) {
    make(XEN_PRESERVED_HVM, {{0, 0x2000, 512, 0}, {600, 0x4000, 300, 0}, {0x80000, 0x2800, 2, 0}});
    const auto octets = read_bytes(rec_.extents);
    for (std::size_t n = 0; n < octets.size(); ++n) {
        preserved_chain_free(&rec_.extents);
        rec_.extents = write_bytes({octets.begin(), octets.begin() + static_cast<long>(n)});
        const int reason = check();
        EXPECT_TRUE(reason == XEN_PRESERVED_REASON_ENCODING ||
                    reason == XEN_PRESERVED_REASON_LENGTH)
            << n << ": " << reason;
    }
    // Zeros behind them are further extents, which the totals do not have.
    auto longer = octets;
    longer.resize(octets.size() + 2);
    preserved_chain_free(&rec_.extents);
    rec_.extents = write_bytes(longer);
    EXPECT_EQ(check(), XEN_PRESERVED_REASON_LENGTH);
    // Nor may there be a part of one behind the totals.
    longer.resize(octets.size() + 1);
    preserved_chain_free(&rec_.extents);
    rec_.extents = write_bytes(longer);
    EXPECT_EQ(check(), XEN_PRESERVED_REASON_ENCODING);
}

}  // namespace
}  // namespace record_test
