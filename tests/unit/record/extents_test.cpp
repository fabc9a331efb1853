// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include <random>

#include "read_record.hpp"

static bool operator==(const preserved_run& a, const preserved_run& b) {
    return a.gfn == b.gfn && a.mfn == b.mfn && a.count == b.count && a.pin == b.pin;
}
static void PrintTo(const preserved_run& r, std::ostream* out) {
    *out << "{gfn " << r.gfn << " mfn " << r.mfn << " count " << r.count << " pin " << r.pin << "}";
}

namespace record_test {
namespace {

using Runs = std::vector<preserved_run>;
using Octets = std::vector<std::uint8_t>;

constexpr std::uint64_t top = ~std::uint64_t{0};

struct Unpacked {
    Runs runs;
    int end;  // 0, or -XEN_PRESERVED_REASON_*
};

Unpacked unpack(const preserved_chain& chain) {
    Unpacked result{};
    preserved_cursor cursor;
    preserved_run run;
    preserved_cursor_start(&cursor, &chain);
    while ((result.end = preserved_cursor_next(&cursor, &run)) > 0) {
        result.runs.push_back(run);
        EXPECT_EQ(cursor.next, result.runs.size());
    }
    return result;
}

class Extents : public testing::Test {
  protected:
    ~Extents() override { EXPECT_EQ(memory_.allocated(), 0u); }

    Octets pack(const Runs& runs) {
        auto chain = write_runs(runs);
        auto bytes = read_bytes(chain);
        preserved_chain_free(&chain);
        return bytes;
    }
    Unpacked unpack_octets(const Octets& octets) {
        auto chain = write_bytes(octets);
        auto result = unpack(chain);
        preserved_chain_free(&chain);
        return result;
    }
    void expect_round_trip(const Runs& runs) {
        auto chain = write_runs(runs);
        const auto result = unpack(chain);
        EXPECT_EQ(result.end, 0);
        EXPECT_EQ(result.runs, runs);
        EXPECT_LE(chain.bytes, runs.size() * PRESERVED_EXTENT_MAX);
        preserved_chain_free(&chain);
    }
    FakeMemory memory_;
};

// --- the examples of docs/specs/preserved-record.md --------------------------------

TEST_F(Extents, AreTheOctetsOfTheSpecification) {
    EXPECT_EQ(pack({{0, 0x2000, 512, 0}}), (Octets{0x10, 0xfe, 0x03, 0x80, 0x80, 0x01}));
    EXPECT_EQ(pack({{0, 0x2000, 512, 0}, {512, 0x1800, 160, 0}}),
              (Octets{0x10, 0xfe, 0x03, 0x80, 0x80, 0x01, 0x10, 0x9e, 0x01, 0xff, 0x27}));
    EXPECT_EQ(pack({{0x20, 0x7000, 1, 4}, {0x21, 0x7001, 1, 1}, {0x10, 0x6fff, 1, 0}}),
              (Octets{0x0c, 0x40, 0x80, 0xc0, 0x03, 0x01, 0x00, 0x08, 0x23, 0x05}));
}

TEST_F(Extents, ZigzagsAsTheSpecificationSays) {
    const auto second = [&](std::uint64_t mfn) {
        const auto both = pack({{0, 100, 1, 0}, {1, mfn, 1, 0}});
        return Octets(both.begin() + 3, both.end());
    };
    EXPECT_EQ(second(101), (Octets{0x00, 0x00}));
    EXPECT_EQ(second(100), (Octets{0x00, 0x01}));
    EXPECT_EQ(second(102), (Octets{0x00, 0x02}));
    EXPECT_EQ(second(99), (Octets{0x00, 0x03}));
    EXPECT_EQ(second(101 + 63), (Octets{0x00, 0x7e}));
    EXPECT_EQ(second(101 - 64), (Octets{0x00, 0x7f}));
    EXPECT_EQ(second(101 + 64), (Octets{0x00, 0x80, 0x01}));
}

// --- round trips ----------------------------------------------------------------------

TEST_F(Extents, NoneArePacked) {
    EXPECT_TRUE(pack({}).empty());
    expect_round_trip({});
}

TEST_F(Extents, BoundaryValuesSurvive) {
    const std::uint64_t at[] = {0,        1,          63,         64,      127,         128,
                                1u << 20, 1ull << 34, 1ull << 52, top / 2, top / 2 + 1, top - 1};
    const std::uint32_t counts[] = {1, 2, 3, 129, 130, 131, 1u << 16, PRESERVED_COUNT_MAX};
    Runs all;
    for (const auto gfn : at) {
        for (const auto mfn : at) {
            for (const auto count : counts) {
                const preserved_run run{gfn, mfn, count, 0};
                if (gfn + count < gfn || mfn + count < mfn) continue;
                expect_round_trip({run});
                all.push_back(run);
            }
            for (std::uint32_t pin = 1; pin <= 4; ++pin) all.push_back({gfn, mfn, 1, pin});
        }
    }
    expect_round_trip(all);
    std::shuffle(all.begin(), all.end(), std::mt19937(3));
    expect_round_trip(all);
}

TEST_F(Extents, RandomOnesSurvive) {
    std::mt19937_64 random(2);
    for (int round = 0; round < 300; ++round) {
        Runs runs(random() % 300);
        std::uint64_t gfn = 0, mfn = 0;
        for (auto& run : runs) {
            // Each number has any length in bits, or goes on where the last ended.
            run.count = random() % 2 ? 1
                                     : static_cast<std::uint32_t>(
                                           (random() & (PRESERVED_COUNT_MAX - 1)) >> random() % 30);
            run.count = std::max(run.count, 1u);
            run.pin = run.count == 1 ? static_cast<std::uint32_t>(random() % 5) : 0;
            run.gfn = random() % 3 ? gfn : random() >> random() % 64;
            run.mfn = random() % 3 ? mfn : random() >> random() % 64;
            if (run.gfn + run.count < run.gfn) run.gfn = 0;
            if (run.mfn + run.count < run.mfn) run.mfn = 0;
            gfn = run.gfn + run.count;
            mfn = run.mfn + run.count;
        }
        expect_round_trip(runs);
    }
}

TEST_F(Extents, StraddlePagesAndIndexPages) {
    // 7 bytes each: every alignment to a page's end, and more than one index page.
    Runs runs;
    const unsigned nr = 600 * PRESERVED_PAGE / 7;
    for (unsigned i = 0; i < nr; ++i) runs.push_back({i, i % 2 ? 0 : 1ull << 34, 1, 0});
    auto chain = write_runs(runs);
    EXPECT_GT(chain.bytes, PRESERVED_INDEX_NR * PRESERVED_PAGE);
    EXPECT_EQ(preserved_chain_check(&chain), 0);
    const auto result = unpack(chain);
    EXPECT_EQ(result.end, 0);
    EXPECT_TRUE(result.runs == runs);
    preserved_chain_free(&chain);
}

TEST_F(Extents, ADryWriterCountsTheSame) {
    std::mt19937_64 random(4);
    preserved_writer dry{}, wet{};
    dry.dry = true;
    for (int i = 0; i < 2000; ++i) {
        const preserved_run run{random() >> random() % 64, random() >> random() % 64,
                                1 + static_cast<std::uint32_t>(random() % 1000), 0};
        ASSERT_EQ(preserved_write_run(&dry, &run), 0);
        ASSERT_EQ(preserved_write_run(&wet, &run), 0);
        ASSERT_EQ(dry.chain.bytes, wet.chain.bytes);
    }
    EXPECT_GT(memory_.allocated(), 0u);
    EXPECT_EQ(dry.pages, 0u);
    preserved_chain_free(&wet.chain);
}

TEST_F(Extents, AFailedAllocationInTheMiddleOfOneLeavesWhatCanBeFreed) {
    for (std::uint64_t nth = 1; nth <= 4; ++nth) {
        memory_.fail_allocation(nth);
        preserved_writer writer{};
        int rc = 0;
        for (unsigned i = 0; !rc && i < 4096; ++i) {
            const preserved_run run{i, i % 2 ? 0 : 1ull << 34, 1, 0};
            rc = preserved_write_run(&writer, &run);
        }
        EXPECT_EQ(rc, -ENOMEM);
        preserved_chain_free(&writer.chain);
        ASSERT_EQ(memory_.allocated(), 0u);
    }
}

// --- what they cost -------------------------------------------------------------------

constexpr std::uint64_t frames_64tb = 1ull << 34;

std::uint64_t longest(const Runs& runs) {
    preserved_writer dry{};
    dry.dry = true;
    std::uint64_t longest = 0;
    for (const auto& run : runs) {
        const auto before = dry.chain.bytes;
        EXPECT_EQ(preserved_write_run(&dry, &run), 0);
        longest = std::max(longest, dry.chain.bytes - before);
    }
    return longest;
}

TEST_F(Extents, AScatteredFrameCostsAtMostSixBytesIfGfnsRunOn) {
    // The two ends in turn are the farthest that two frames can be apart.
    Runs worst, random_ones;
    std::mt19937_64 random(5);
    for (std::uint64_t i = 0; i < 10000; ++i) {
        worst.push_back({i, i % 2 ? 0 : frames_64tb - 1, 1, 0});
        random_ones.push_back({i, random() % frames_64tb, 1, 0});
    }
    EXPECT_EQ(longest(worst), 6u);
    EXPECT_EQ(longest(random_ones), 6u);
}

TEST_F(Extents, AScatteredFrameCostsAtMostElevenBytesIfGfnsAreRandomToo) {
    Runs worst, guest_4gb;
    std::mt19937_64 random(6);
    for (std::uint64_t i = 0; i < 10000; ++i) {
        const auto end = i % 2 ? 0 : frames_64tb - 1;
        worst.push_back({end, end, 1, i % 5 == 0 ? 4u : 0});
        // A PV guest of 4 GB on a host of 16 GB whose list of pages is in no order at all.
        guest_4gb.push_back({random() % (1u << 20), random() % (1u << 22), 1, 0});
    }
    EXPECT_EQ(longest(worst), 11u);
    EXPECT_EQ(longest(guest_4gb), 8u);
}

TEST_F(Extents, ARunCostsNoMoreForItsLength) {
    EXPECT_EQ(pack({{0, 0x2000, 1, 0}}).size(), 4u);
    EXPECT_EQ(pack({{0, 0x2000, PRESERVED_COUNT_MAX, 0}}).size(), 9u);
}

// --- refused ------------------------------------------------------------------------------

TEST_F(Extents, HeadsThatMeanNothingAreRefused) {
    for (unsigned head = 0; head < 256; ++head) {
        // Enough zeros for whatever fields follow.
        const auto result = unpack_octets({static_cast<std::uint8_t>(head), 0, 0, 0});
        const bool bad = (head & 0xe0) || (head & 7) > 4 || ((head & 7) && (head & 0x10));
        EXPECT_EQ(result.runs.empty(), bad) << head;
        if (bad) {
            EXPECT_EQ(result.end, -XEN_PRESERVED_REASON_ENCODING) << head;
        }
    }
}

TEST_F(Extents, AreRefusedWhenCutOffAnywhere) {
    const auto octets = pack({{top / 2, top / 3, PRESERVED_COUNT_MAX, 0}});
    ASSERT_EQ(octets.size(), 1u + 10 + 5 + 10);
    for (std::size_t n = 1; n < octets.size(); ++n) {
        const auto result =
            unpack_octets(Octets(octets.begin(), octets.begin() + static_cast<long>(n)));
        EXPECT_TRUE(result.runs.empty());
        EXPECT_EQ(result.end, -XEN_PRESERVED_REASON_ENCODING) << n;
    }
}

TEST_F(Extents, NumbersBeyond64BitsAreRefused) {
    const auto mfn_of = [&](Octets number) {
        number.insert(number.begin(), 0);
        return unpack_octets(number);
    };
    Octets nine(9, 0xff);
    const auto with = [&](std::initializer_list<std::uint8_t> rest) {
        auto octets = nine;
        octets.insert(octets.end(), rest);
        return mfn_of(octets);
    };
    // 2^64 - 1 unzigzags to -2^63, 2^63 - 1 to -2^62.
    EXPECT_EQ(with({0x01}).runs, (Runs{{0, 1ull << 63, 1, 0}}));
    EXPECT_EQ(with({0x00}).runs, (Runs{{0, 3ull << 62, 1, 0}}));
    EXPECT_EQ(with({0x02}).end, -XEN_PRESERVED_REASON_ENCODING);
    EXPECT_EQ(with({0x7f}).end, -XEN_PRESERVED_REASON_ENCODING);
    EXPECT_EQ(with({0x81, 0x00}).end, -XEN_PRESERVED_REASON_ENCODING);
    EXPECT_EQ(with({0x80, 0x00}).end, -XEN_PRESERVED_REASON_ENCODING);
    // Longer than need be is no error.
    EXPECT_EQ(mfn_of({0x82, 0x80, 0x00}).runs, (Runs{{0, 1, 1, 0}}));
}

TEST_F(Extents, CountsHaveALimit) {
    preserved_writer writer{};
    for (const std::uint32_t count : {PRESERVED_COUNT_MAX, PRESERVED_COUNT_MAX + 1}) {
        const preserved_run run{0, 5, count, 0};
        ASSERT_EQ(preserved_write_run(&writer, &run), 0);
    }
    const auto result = unpack(writer.chain);
    EXPECT_EQ(result.runs, (Runs{{0, 5, PRESERVED_COUNT_MAX, 0}}));
    EXPECT_EQ(result.end, -XEN_PRESERVED_REASON_ENCODING);
    preserved_chain_free(&writer.chain);
    // 2^64 - 1 must not become a small count.
    EXPECT_EQ(unpack_octets({0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2}).end,
              -XEN_PRESERVED_REASON_ENCODING);
}

TEST_F(Extents, NeitherNumberMayWrap) {
    const auto end_of = [&](std::uint64_t gfn, std::uint64_t mfn, std::uint32_t count) {
        auto chain = write_runs({{gfn, mfn, count, 0}});
        const int end = unpack(chain).end;
        preserved_chain_free(&chain);
        return end;
    };
    for (const std::uint32_t count : {1u, 2u, PRESERVED_COUNT_MAX}) {
        EXPECT_EQ(end_of(top - count, 5, count), 0);
        EXPECT_EQ(end_of(5, top - count, count), 0);
        EXPECT_EQ(end_of(top - count + 1, 5, count), -XEN_PRESERVED_REASON_ENCODING);
        EXPECT_EQ(end_of(5, top - count + 1, count), -XEN_PRESERVED_REASON_ENCODING);
        EXPECT_EQ(end_of(top, top, count), -XEN_PRESERVED_REASON_ENCODING);
    }
}

}  // namespace
}  // namespace record_test
