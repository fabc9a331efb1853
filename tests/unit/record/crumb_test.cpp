// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include <cstring>

#include "read_record.hpp"

namespace record_test {
namespace {

// docs/specs/preserved-record.md gives these octets; a change of one is a new version, and one of
// the crumb's up to keep, of the chain's, the index's or the keep map's must never be made.
static_assert(offsetof(preserved_crumb, magic) == 0);
static_assert(offsetof(preserved_crumb, size) == 8);
static_assert(offsetof(preserved_crumb, generation) == 12);
static_assert(offsetof(preserved_crumb, token) == 16);
static_assert(offsetof(preserved_crumb, keep) == 24);
static_assert(offsetof(preserved_crumb, version) == 48);
static_assert(offsetof(preserved_crumb, flags) == 52);
static_assert(offsetof(preserved_crumb, table) == 56);
static_assert(offsetof(preserved_crumb, tsc_armed) == 80);
static_assert(offsetof(preserved_crumb, tsc_jump) == 88);
static_assert(offsetof(preserved_crumb, wallclock_us) == 96);
static_assert(offsetof(preserved_crumb, xxh64) == 104 && sizeof(preserved_crumb) == 112);
static_assert(sizeof(preserved_chain) == 24 && offsetof(preserved_chain, bytes) == 8);
static_assert(sizeof(preserved_index) == PRESERVED_PAGE && offsetof(preserved_index, mfn) == 24);
static_assert(sizeof(preserved_keep) == PRESERVED_PAGE && offsetof(preserved_keep, bits) == 8);
static_assert(offsetof(preserved_set_rec, handle) == 16);
static_assert(offsetof(preserved_set_rec, frames) == 32);
static_assert(offsetof(preserved_set_rec, extents) == 48);
static_assert(offsetof(preserved_set_rec, blob) == 72);
static_assert(offsetof(preserved_set_rec, tsc) == 96);
static_assert(offsetof(preserved_set_rec, ticks) == 112 && sizeof(preserved_set_rec) == 120);

class Crumb : public testing::Test {
  protected:
    Crumb() {
        crumb_.generation = 1;
        crumb_.token = sample_token;
        crumb_.version = PRESERVED_VERSION;
        crumb_.keep = {2, 3, 4};
        crumb_.table = {5, 6, 7};
        std::memset(page_.bytes.data(), 0xff, page_.bytes.size());
        preserved_crumb_seal(&crumb_, page_.bytes.data());
    }
    const void* find() { return preserved_crumb_find(page_.bytes.data()); }
    void flip(std::size_t bit) {
        page_.bytes[bit / 8] = static_cast<std::uint8_t>(page_.bytes[bit / 8] ^ 1u << bit % 8);
    }

    preserved_crumb crumb_{};
    Page page_;
    const std::uint8_t* const first_ = page_.bytes.data();
    const std::uint8_t* const second_ = page_.bytes.data() + PRESERVED_CRUMB_COPY;
    static constexpr std::size_t second_bit = PRESERVED_CRUMB_COPY * 8;
    static constexpr std::size_t bits = sizeof(preserved_crumb) * 8;
};

TEST_F(Crumb, IsInThePageTwiceAndNothingElseIs) {
    Page expected;
    std::memcpy(expected.bytes.data(), &crumb_, sizeof(crumb_));
    std::memcpy(expected.bytes.data() + PRESERVED_CRUMB_COPY, &crumb_, sizeof(crumb_));
    EXPECT_EQ(page_.bytes, expected.bytes);
    EXPECT_EQ(find(), first_);
}

TEST_F(Crumb, EitherCopyMayBeDamagedInAnyBit) {
    for (std::size_t bit = 0; bit < bits; ++bit) {
        flip(bit);
        ASSERT_EQ(find(), second_) << bit;
        flip(bit);
        flip(second_bit + bit);
        ASSERT_EQ(find(), first_) << bit;
        flip(second_bit + bit);
    }
}

TEST_F(Crumb, IsNotFoundIfBothCopiesAreDamaged) {
    for (std::size_t bit = 0; bit < bits; ++bit) {
        flip(bit);
        flip(second_bit + (bit * 7 + 3) % bits);
        ASSERT_EQ(find(), nullptr) << bit;
        flip(bit);
        flip(second_bit + (bit * 7 + 3) % bits);
    }
}

TEST_F(Crumb, IsNotFoundInOtherPages) {
    page_.bytes.fill(0);
    EXPECT_EQ(find(), nullptr);
    page_.bytes.fill(0xff);
    EXPECT_EQ(find(), nullptr);
}

TEST_F(Crumb, MagicAndSizeAreCheckedBesideTheChecksum) {
    const auto put = [&](preserved_crumb crumb) {
        crumb.xxh64 = xxh64(&crumb, offsetof(preserved_crumb, xxh64), 0);
        std::memcpy(page_.bytes.data(), &crumb, sizeof(crumb));
        std::memcpy(page_.bytes.data() + PRESERVED_CRUMB_COPY, &crumb, sizeof(crumb));
        return find();
    };
    EXPECT_EQ(put(crumb_), first_);
    auto bad = crumb_;
    bad.magic ^= 1;
    EXPECT_EQ(put(bad), nullptr);
    for (const std::uint32_t size :
         {0u, 8u, 56u, 96u, 104u, 111u, 113u, 2048u, 2056u, 4096u, 0xffffffffu, 0xfffffff8u}) {
        bad = crumb_;
        bad.size = size;
        EXPECT_EQ(put(bad), nullptr) << size;
    }
}

TEST_F(Crumb, AnotherVersionsMayBeOfAnySizeThatTheSpecAllows) {
    for (const std::uint32_t size : {64u, 96u, 104u, 112u, 2048u}) {
        page_.bytes.fill(0);
        auto other = crumb_;
        other.version = PRESERVED_VERSION + 1;
        other.size = size;
        const auto end = size - sizeof(std::uint64_t);
        std::memcpy(page_.bytes.data(), &other, std::min(sizeof(other), std::size_t{end}));
        const std::uint64_t hash = xxh64(page_.bytes.data(), end, 0);
        std::memcpy(page_.bytes.data() + end, &hash, sizeof(hash));
        EXPECT_EQ(find(), first_) << size;
        page_.bytes[end - 1] ^= 1;
        EXPECT_EQ(find(), nullptr) << size;
    }
}

TEST_F(Crumb, ItsCopiesMayDiffer) {
    // A writer that was cut off between the two: the first is the newer.
    auto other = crumb_;
    other.generation = 9;
    other.xxh64 = xxh64(&other, offsetof(preserved_crumb, xxh64), 0);
    std::memcpy(page_.bytes.data(), &other, sizeof(other));
    ASSERT_EQ(find(), first_);
    page_.bytes[20] ^= 1;
    EXPECT_EQ(find(), second_);
}

}  // namespace
}  // namespace record_test
