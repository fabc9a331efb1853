// SPDX-License-Identifier: GPL-2.0-only
// A whole record, damaged in every way that one bit can be, read as boot.c reads it.
#include <gtest/gtest.h>

#include <cstring>
#include <utility>

#include "read_record.hpp"

namespace record_test {
namespace {

class Damage : public testing::Test {
  protected:
    Damage() {
        memory_.add_ram(sample_ram);
        crumb_ = write_record(sets_, page_);
        good_ = read_record(page_);
    }
    ~Damage() override {
        free_record(crumb_, sets_);
        EXPECT_EQ(memory_.allocated(), 0u);
        EXPECT_EQ(memory_.bad_frees(), 0u);
    }

    std::uint8_t* bytes(std::uint64_t mfn) { return memory_.find(mfn)->bytes.data(); }
    preserved_index& index(const preserved_chain& chain) {
        return *reinterpret_cast<preserved_index*>(bytes(chain.index_mfn));
    }
    // Calls fn with a pointer to every octet of a chain that means something, its index's too.
    template <typename Fn>
    void each_octet(const preserved_chain& chain, Fn fn) {
        const auto i = index(chain);
        ASSERT_LE(i.nr, 2u);
        for (std::size_t at = 0; at < 24 + 8 * i.nr; ++at) fn(bytes(chain.index_mfn) + at);
        for (std::uint64_t at = 0; at < chain.bytes; ++at) {
            fn(bytes(i.mfn[at / PRESERVED_PAGE]) + at % PRESERVED_PAGE);
        }
    }
    template <typename Fn>
    static void each_bit(std::uint8_t* octet, Fn fn) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            *octet = static_cast<std::uint8_t>(*octet ^ 1u << bit);
            fn();
            *octet = static_cast<std::uint8_t>(*octet ^ 1u << bit);
        }
    }
    template <typename Fn>
    void each_flip(const preserved_chain& chain, Fn fn) {
        each_octet(chain, [&](std::uint8_t* octet) { each_bit(octet, fn); });
    }

    FakeMemory memory_;
    std::vector<SetToWrite> sets_ = sample_sets();
    Page page_;
    preserved_crumb crumb_{};
    ReadRecord good_;
};

TEST_F(Damage, NoneReadsBackWhole) {
    ASSERT_TRUE(good_.crumb);
    EXPECT_EQ(std::memcmp(&*good_.crumb, &crumb_, sizeof(crumb_)), 0);
    EXPECT_EQ(good_.record_reason, 0);
    EXPECT_FALSE(good_.keep_reason) << "the keep map is for what cannot be read otherwise";
    ASSERT_EQ(good_.sets.size(), sets_.size());
    for (std::size_t i = 0; i < sets_.size(); ++i) {
        EXPECT_EQ(good_.sets[i].reason, 0);
        EXPECT_EQ(good_.sets[i].blob, sets_[i].blob);
        ASSERT_EQ(good_.sets[i].runs.size(), sets_[i].runs.size());
        EXPECT_EQ(std::memcmp(good_.sets[i].runs.data(), sets_[i].runs.data(),
                              sets_[i].runs.size() * sizeof(preserved_run)),
                  0);
        EXPECT_EQ(std::memcmp(&good_.sets[i].rec, &sets_[i].rec, sizeof(preserved_set_rec)), 0);
    }
}

TEST_F(Damage, OfTheTableLosesTheSetsAndKeepsTheFrames) {
    unsigned flips = 0;
    each_flip(crumb_.table, [&] {
        const auto record = read_record(page_);
        ASSERT_NE(record.record_reason, 0);
        ASSERT_TRUE(record.sets.empty());
        ASSERT_EQ(record.keep_reason, 0);
        ASSERT_EQ(record.kept.size(), sets_[0].rec.frames + sets_[1].rec.frames);
        ++flips;
    });
    EXPECT_EQ(flips, (32 + sizeof(preserved_set_rec) * 2) * 8);
}

TEST_F(Damage, OfOneSetLosesThatSetAlone) {
    for (std::size_t i = 0; i < sets_.size(); ++i) {
        for (const auto& chain : {sets_[i].rec.extents, sets_[i].rec.blob}) {
            each_flip(chain, [&] {
                const auto record = read_record(page_);
                ASSERT_EQ(record.record_reason, 0);
                ASSERT_NE(record.sets[i].reason, 0);
                ASSERT_EQ(record.sets[1 - i].reason, 0);
                ASSERT_EQ(record.keep_reason, 0);
            });
        }
    }
}

TEST_F(Damage, OfTheKeepMapIsSeen) {
    ASSERT_EQ(crumb_.keep.bytes, 2 * sizeof(preserved_keep));
    const auto check = [&] { ASSERT_NE(preserved_chain_check(&crumb_.keep), 0); };
    each_flip(crumb_.keep, check);
}

TEST_F(Damage, OfTheKeepMapAloneLosesNothing) {
    bytes(index(crumb_.keep).mfn[0])[0] ^= 1;
    auto record = read_record(page_);
    EXPECT_EQ(record.sets[0].reason | record.sets[1].reason, 0);
    EXPECT_FALSE(record.keep_reason);
    bytes(index(crumb_.keep).mfn[0])[0] ^= 1;
    // With a set that cannot be read, its frames are kept but for the bit that was cleared.
    auto* bits = bytes(index(crumb_.keep).mfn[0]) + 8;
    while (!*bits) ++bits;
    const auto octet = std::exchange(*bits, static_cast<std::uint8_t>(*bits & (*bits - 1)));
    bytes(index(sets_[0].rec.extents).mfn[0])[0] ^= 1;
    record = read_record(page_);
    EXPECT_NE(record.sets[0].reason, 0);
    EXPECT_EQ(record.sets[1].reason, 0);
    EXPECT_EQ(record.keep_reason, XEN_PRESERVED_REASON_CHECKSUM);
    EXPECT_EQ(record.kept.size(), sets_[0].rec.frames + sets_[1].rec.frames - 1);
    // Without its structure there is nothing to go by.
    index(crumb_.keep).magic ^= 1;
    record = read_record(page_);
    EXPECT_EQ(record.keep_reason, XEN_PRESERVED_REASON_MAGIC);
    EXPECT_TRUE(record.kept.empty());
    index(crumb_.keep).magic ^= 1;
    bytes(index(sets_[0].rec.extents).mfn[0])[0] ^= 1;
    *bits = octet;
}

TEST_F(Damage, OfUnusedOctetsChangesNothing) {
    for (const auto& chain : {crumb_.table, sets_[0].rec.extents, sets_[1].rec.blob}) {
        std::memset(bytes(chain.index_mfn) + 32, 0xff, PRESERVED_PAGE - 32);
        std::memset(bytes(index(chain).mfn[0]) + chain.bytes, 0xff, PRESERVED_PAGE - chain.bytes);
    }
    const auto record = read_record(page_);
    EXPECT_EQ(record.record_reason, 0);
    EXPECT_EQ(record.sets[0].reason | record.sets[1].reason, 0);
}

// The checksums guard against accidents; who can write the record can make them right again.
// read_record() aborts if what is then decoded is not within bounds.
TEST_F(Damage, WithTheChecksumsMadeRightIsRefusedOrWithinBounds) {
    unsigned refused = 0, decoded = 0;
    const auto mfns = memory_.mfns();
    const auto read = [&] {
        const Page crumb_before = page_;
        std::vector<Page> before;
        for (const auto mfn : mfns) before.push_back(*memory_.find(mfn));
        reseal(page_);
        const auto record = read_record(page_);
        page_ = crumb_before;
        for (std::size_t i = 0; i < mfns.size(); ++i) *memory_.find(mfns[i]) = before[i];
        ASSERT_TRUE(record.crumb);
        if (record.record_reason) {
            ++refused;
        } else {
            for (const auto& set : record.sets) ++(set.reason ? refused : decoded);
        }
    };
    each_flip(crumb_.table, read);
    for (const auto& set : sets_) {
        each_flip(set.rec.extents, read);
        each_flip(set.rec.blob, read);
    }
    for (std::size_t at = 12; at < offsetof(preserved_crumb, xxh64); ++at) {
        each_bit(&page_.bytes[at], read);
    }
    EXPECT_GT(refused, 1000u);
    EXPECT_GT(decoded, 1000u);
}

// --- what only the whole shows ------------------------------------------------------

TEST_F(Damage, AVersionThatIsNotKnownKeepsTheFrames) {
    for (const std::uint32_t version : {0u, PRESERVED_VERSION + 1, ~0u}) {
        auto crumb = crumb_;
        crumb.version = version;
        crumb.table = {~0ull, ~0ull, ~0ull};
        preserved_crumb_seal(&crumb, page_.bytes.data());
        const auto record = read_record(page_);
        EXPECT_EQ(record.record_reason, XEN_PRESERVED_REASON_VERSION);
        EXPECT_TRUE(record.sets.empty());
        EXPECT_EQ(record.kept.size(), sets_[0].rec.frames + sets_[1].rec.frames);
    }
}

TEST_F(Damage, ATableIsAWholeNumberOfSets) {
    for (const std::uint64_t bytes : {sizeof(preserved_set_rec) - 1, sizeof(preserved_set_rec) + 1,
                                      (PRESERVED_MAX_SETS + 1) * sizeof(preserved_set_rec)}) {
        auto crumb = crumb_;
        crumb.table.bytes = bytes;
        preserved_crumb_seal(&crumb, page_.bytes.data());
        EXPECT_EQ(read_record(page_).record_reason, XEN_PRESERVED_REASON_LENGTH);
    }
}

class Overlap : public testing::Test {
  protected:
    Overlap() { memory_.add_ram(sample_ram); }
    ReadRecord read(std::vector<SetToWrite> sets) {
        Page page;
        auto crumb = write_record(sets, page);
        auto record = read_record(page);
        free_record(crumb, sets);
        EXPECT_EQ(memory_.allocated(), 0u);
        return record;
    }
    FakeMemory memory_;
};

TEST_F(Overlap, AFrameInTwoSetsIsNobodys) {
    auto sets = sample_sets();
    sets.push_back(sets[0]);
    sets[2].runs = {{0, 0x2000 + 511, 1, 0}};
    const auto record = read(sets);
    EXPECT_EQ(record.sets[0].reason, XEN_PRESERVED_REASON_OVERLAP);
    EXPECT_EQ(record.sets[1].reason, 0);
    EXPECT_EQ(record.sets[2].reason, XEN_PRESERVED_REASON_OVERLAP);
    EXPECT_EQ(record.keep_reason, 0);
}

TEST_F(Overlap, AFrameTwiceInOneSet) {
    auto sets = sample_sets();
    sets[1].runs.push_back(sets[1].runs[0]);
    const auto record = read(sets);
    EXPECT_EQ(record.sets[0].reason, 0);
    EXPECT_EQ(record.sets[1].reason, XEN_PRESERVED_REASON_OVERLAP);
}

TEST_F(Overlap, ASetThatWasUnreadableBeforeStaysSo) {
    auto sets = sample_sets();
    sets[0].rec.flags = PRESERVED_REC_UNREADABLE;
    sets[0].rec.reason = XEN_PRESERVED_REASON_CHECKSUM;
    sets[1].rec.flags = PRESERVED_REC_UNREADABLE;
    const auto record = read(sets);
    EXPECT_EQ(record.sets[0].reason, XEN_PRESERVED_REASON_CHECKSUM);
    EXPECT_EQ(record.sets[1].reason, XEN_PRESERVED_REASON_ENCODING) << "it does not say why";
    EXPECT_TRUE(record.sets[0].runs.empty());
    EXPECT_EQ(record.kept.size(), 512u + 160 + 1 + 65);
}

}  // namespace
}  // namespace record_test
