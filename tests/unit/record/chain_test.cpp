// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <set>

#include "read_record.hpp"

namespace record_test {
namespace {

constexpr std::uint64_t page_bytes = PRESERVED_PAGE;
constexpr std::uint64_t index_bytes = PRESERVED_INDEX_NR * page_bytes;

std::vector<std::uint8_t> pattern(std::uint64_t size) {
    std::vector<std::uint8_t> bytes(size);
    std::uint32_t state = 1;
    for (auto& byte : bytes) {
        state = state * 1664525 + 1013904223;
        byte = static_cast<std::uint8_t>(state >> 24);
    }
    return bytes;
}

std::uint64_t pages_for(std::uint64_t bytes) {
    const std::uint64_t data = (bytes + page_bytes - 1) / page_bytes;
    return data + (data + PRESERVED_INDEX_NR - 1) / PRESERVED_INDEX_NR;
}

class Chain : public testing::Test {
  protected:
    ~Chain() override {
        EXPECT_EQ(memory_.allocated(), 0u) << "pages were not freed";
        EXPECT_EQ(memory_.bad_frees(), 0u);
    }
    preserved_index& index(std::uint64_t mfn) {
        return *reinterpret_cast<preserved_index*>(memory_.find(mfn)->bytes.data());
    }
    FakeMemory memory_;
};

TEST_F(Chain, ReadsWhatWasWrittenOverEveryBoundary) {
    for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{1}, page_bytes - 1, page_bytes,
                                     page_bytes + 1, 2 * page_bytes, index_bytes - 1, index_bytes,
                                     index_bytes + 1, 2 * index_bytes + page_bytes + 5}) {
        SCOPED_TRACE(size);
        const auto bytes = pattern(size);
        auto chain = write_bytes(bytes);
        EXPECT_EQ(chain.bytes, size);
        EXPECT_EQ(chain.index_mfn == 0, size == 0);
        EXPECT_EQ(chain.xxh64, XXH64(bytes.data(), bytes.size(), 0));
        EXPECT_EQ(preserved_chain_check(&chain), 0);
        EXPECT_EQ(read_bytes(chain), bytes);
        EXPECT_EQ(memory_.allocated(), pages_for(size));
        preserved_chain_free(&chain);
        EXPECT_EQ(memory_.allocated(), 0u);
        EXPECT_EQ(chain.bytes, 0u);
        EXPECT_EQ(chain.index_mfn, 0u);
    }
}

TEST_F(Chain, DoesNotDependOnHowTheBytesWereCutUp) {
    const auto bytes = pattern(5 * page_bytes + 17);
    std::mt19937 random(1);
    for (int round = 0; round < 20; ++round) {
        preserved_writer writer{};
        for (std::size_t at = 0; at < bytes.size();) {
            const std::size_t n = std::min<std::size_t>(bytes.size() - at, random() % 5000);
            ASSERT_EQ(preserved_write(&writer, bytes.data() + at, n), 0);
            at += n;
        }
        preserved_write_finish(&writer);
        EXPECT_EQ(writer.pages, pages_for(bytes.size()));

        std::vector<std::uint8_t> read(bytes.size() + 10);
        preserved_reader reader;
        preserved_read_start(&reader, &writer.chain);
        std::size_t at = 0;
        while (const auto n = preserved_read(&reader, read.data() + at, random() % 5000 + 1))
            at += n;
        read.resize(at);
        EXPECT_EQ(read, bytes);
        preserved_chain_free(&writer.chain);
    }
}

TEST_F(Chain, ReadingSkipsAndEndsAtTheEnd) {
    const auto bytes = pattern(3 * page_bytes + 7);
    auto chain = write_bytes(bytes);
    preserved_reader reader;
    std::uint8_t byte = 0;
    for (const std::uint64_t skip :
         {std::uint64_t{1}, page_bytes, 2 * page_bytes + 9, 3 * page_bytes + 6}) {
        preserved_read_start(&reader, &chain);
        EXPECT_EQ(preserved_read(&reader, nullptr, skip), skip);
        EXPECT_EQ(preserved_read(&reader, &byte, 1), 1u);
        EXPECT_EQ(byte, bytes[skip]);
    }
    preserved_read_start(&reader, &chain);
    EXPECT_EQ(preserved_read(&reader, nullptr, ~std::uint64_t{0}), bytes.size());
    EXPECT_EQ(preserved_read(&reader, &byte, 1), 0u);
    preserved_chain_free(&chain);
}

TEST_F(Chain, CanBeFinishedAndContinued) {
    const auto bytes = pattern(2 * page_bytes + 100);
    preserved_writer writer{};
    for (const std::size_t end :
         {std::size_t{0}, std::size_t{100}, std::size_t{page_bytes}, bytes.size()}) {
        const auto from = writer.chain.bytes;
        ASSERT_EQ(preserved_write(&writer, bytes.data() + from, end - from), 0);
        preserved_write_finish(&writer);
        EXPECT_EQ(preserved_chain_check(&writer.chain), 0);
        EXPECT_EQ(writer.chain.xxh64, XXH64(bytes.data(), end, 0));
    }
    preserved_chain_free(&writer.chain);
}

TEST_F(Chain, WholePagesAreZeroedAndTheCallersToFill) {
    preserved_writer writer{};
    for (unsigned i = 0; i < PRESERVED_INDEX_NR + 2; ++i) {
        auto* page = static_cast<std::uint8_t*>(preserved_write_page(&writer));
        ASSERT_NE(page, nullptr);
        ASSERT_EQ(page[0] | page[page_bytes - 1], 0);
        page[i] = 1;
    }
    preserved_write_finish(&writer);
    EXPECT_EQ(preserved_chain_check(&writer.chain), 0);
    EXPECT_EQ(writer.pages, PRESERVED_INDEX_NR + 4u);
    const auto bytes = read_bytes(writer.chain);
    ASSERT_EQ(bytes.size(), (PRESERVED_INDEX_NR + 2) * page_bytes);
    for (unsigned i = 0; i < PRESERVED_INDEX_NR + 2; ++i) EXPECT_EQ(bytes[i * page_bytes + i], 1);
    preserved_chain_free(&writer.chain);
}

TEST_F(Chain, NamesEachOfItsPagesOnce) {
    for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{5}, index_bytes + 1}) {
        auto chain = write_bytes(pattern(size));
        std::multiset<std::uint64_t> seen;
        const auto note = [](std::uint64_t mfn, void* arg) {
            static_cast<std::multiset<std::uint64_t>*>(arg)->insert(mfn);
            return 0;
        };
        EXPECT_EQ(preserved_chain_pages(&chain, note, &seen), 0);
        const auto mfns = memory_.mfns();
        EXPECT_EQ(seen, std::multiset<std::uint64_t>(mfns.begin(), mfns.end()));
        preserved_chain_free(&chain);
    }
}

TEST_F(Chain, NamingPagesEndsWhenTheCallerSaysSo) {
    auto chain = write_bytes(pattern(index_bytes + 1));
    struct Count {
        unsigned calls, stop;
    };
    const auto until = [](std::uint64_t, void* arg) {
        auto& c = *static_cast<Count*>(arg);
        return ++c.calls == c.stop ? 42 : 0;
    };
    for (const unsigned stop : {1u, 2u, PRESERVED_INDEX_NR + 1, PRESERVED_INDEX_NR + 3}) {
        Count count{0, stop};
        EXPECT_EQ(preserved_chain_pages(&chain, until, &count), 42);
        EXPECT_EQ(count.calls, stop);
    }
    preserved_chain_free(&chain);
}

TEST_F(Chain, AFailedAllocationLeavesWhatCanBeReadAndFreed) {
    const auto bytes = pattern(index_bytes + 3 * page_bytes);
    std::vector<std::uint64_t> nth{1, 2, 3, 4, 5, 100};
    // The second index page comes after 509 pages and the first one.
    for (std::uint64_t n = PRESERVED_INDEX_NR; n <= PRESERVED_INDEX_NR + 5; ++n) nth.push_back(n);
    for (const auto n : nth) {
        SCOPED_TRACE(n);
        memory_.fail_allocation(n);
        preserved_writer writer{};
        EXPECT_EQ(preserved_write(&writer, bytes.data(), bytes.size()), -ENOMEM);
        EXPECT_EQ(memory_.allocated(), writer.pages);
        EXPECT_EQ(memory_.allocated(), pages_for(writer.chain.bytes));
        preserved_write_finish(&writer);
        EXPECT_EQ(preserved_chain_check(&writer.chain), 0);
        const auto read = read_bytes(writer.chain);
        EXPECT_TRUE(std::equal(read.begin(), read.end(), bytes.begin()));
        preserved_chain_free(&writer.chain);
        ASSERT_EQ(memory_.allocated(), 0u);
    }
}

TEST_F(Chain, AFailedAllocationOfAWholePageLeavesWhatCanBeFreed) {
    for (std::uint64_t n = 1; n <= 4; ++n) {
        memory_.fail_allocation(n);
        preserved_writer writer{};
        unsigned pages = 0;
        while (pages < 8 && preserved_write_page(&writer)) ++pages;
        EXPECT_LT(pages, 8u);
        EXPECT_EQ(writer.chain.bytes, pages * page_bytes);
        preserved_chain_free(&writer.chain);
        ASSERT_EQ(memory_.allocated(), 0u);
    }
}

TEST_F(Chain, WritingCanGoOnAfterAFailedAllocation) {
    const auto bytes = pattern(4 * page_bytes);
    for (std::uint64_t n = 1; n <= 5; ++n) {
        memory_.fail_allocation(n);
        preserved_writer writer{};
        ASSERT_EQ(preserved_write(&writer, bytes.data(), bytes.size()), -ENOMEM);
        const auto done = writer.chain.bytes;
        ASSERT_EQ(preserved_write(&writer, bytes.data() + done, bytes.size() - done), 0);
        preserved_write_finish(&writer);
        EXPECT_EQ(preserved_chain_check(&writer.chain), 0);
        EXPECT_EQ(read_bytes(writer.chain), bytes);
        preserved_chain_free(&writer.chain);
    }
}

TEST_F(Chain, ADryWriterCountsAndTakesNothing) {
    const auto bytes = pattern(3 * page_bytes + 1);
    preserved_writer dry{}, wet{};
    dry.dry = true;
    for (const std::uint64_t n : {std::uint64_t{1}, page_bytes, page_bytes + 1}) {
        ASSERT_EQ(preserved_write(&dry, bytes.data(), n), 0);
        ASSERT_EQ(preserved_write(&wet, bytes.data(), n), 0);
    }
    preserved_write_finish(&dry);
    EXPECT_EQ(dry.chain.bytes, wet.chain.bytes);
    EXPECT_EQ(dry.chain.index_mfn, 0u);
    EXPECT_EQ(dry.pages, 0u);
    preserved_chain_free(&wet.chain);
}

TEST_F(Chain, IsNeverLongerThanAReaderAccepts) {
    std::uint8_t byte = 0;
    preserved_writer dry{};
    dry.dry = true;
    dry.chain.bytes = PRESERVED_CHAIN_MAX - 1;
    EXPECT_EQ(preserved_write(&dry, &byte, 1), 0);
    EXPECT_EQ(preserved_write(&dry, &byte, 1), -ENOMEM);
    EXPECT_EQ(dry.chain.bytes, PRESERVED_CHAIN_MAX);
}

// --- damage ---------------------------------------------------------------------

TEST_F(Chain, SaysWhatIsWrongWithItsLength) {
    auto good = write_bytes(pattern(3 * page_bytes + 10));
    const auto check = [&](std::uint64_t bytes) {
        auto bad = good;
        bad.bytes = bytes;
        return preserved_chain_check(&bad);
    };
    EXPECT_EQ(check(good.bytes - 1), XEN_PRESERVED_REASON_CHECKSUM);
    EXPECT_EQ(check(good.bytes + 1), XEN_PRESERVED_REASON_CHECKSUM);
    EXPECT_EQ(check(4 * page_bytes), XEN_PRESERVED_REASON_CHECKSUM);
    EXPECT_EQ(check(4 * page_bytes + 1), XEN_PRESERVED_REASON_LENGTH);
    EXPECT_EQ(check(3 * page_bytes), XEN_PRESERVED_REASON_LENGTH);
    EXPECT_EQ(check(0), XEN_PRESERVED_REASON_LENGTH) << "bytes, but no index";
    EXPECT_EQ(check(PRESERVED_CHAIN_MAX), XEN_PRESERVED_REASON_LENGTH);
    EXPECT_EQ(check(PRESERVED_CHAIN_MAX + 1), XEN_PRESERVED_REASON_LENGTH);
    // The length alone decides: nothing is walked for what is too long anyway.
    auto beyond = good;
    beyond.index_mfn = 0;
    beyond.bytes = PRESERVED_CHAIN_MAX + 1;
    EXPECT_EQ(preserved_chain_check(&beyond), XEN_PRESERVED_REASON_LENGTH);
    for (const std::uint64_t near_end : {0ull, 1ull, 4095ull, 4096ull}) {
        EXPECT_EQ(check(~near_end), XEN_PRESERVED_REASON_LENGTH);
    }
    preserved_chain_free(&good);
}

TEST_F(Chain, SaysWhatIsWrongWithAnIndexPage) {
    auto good = write_bytes(pattern(index_bytes + page_bytes));
    const auto first = good.index_mfn, second = index(first).next_mfn;
    const auto check = [&](std::uint64_t& field, std::uint64_t value) {
        const auto was = field;
        field = value;
        const int reason = preserved_chain_check(&good);
        field = was;
        return reason;
    };
    ASSERT_EQ(preserved_chain_check(&good), 0);
    for (const auto mfn : {first, second}) {
        EXPECT_EQ(check(index(mfn).magic, 0), XEN_PRESERVED_REASON_MAGIC);
        for (const std::uint64_t nr : {0ull, 2ull, 508ull, 510ull, ~0ull}) {
            EXPECT_EQ(check(index(mfn).nr, nr), XEN_PRESERVED_REASON_LENGTH) << nr;
        }
        for (const std::uint64_t gone : {0ull, 0x99999ull, ~0ull}) {
            EXPECT_EQ(check(index(mfn).mfn[0], gone), XEN_PRESERVED_REASON_NOT_RAM);
        }
    }
    EXPECT_EQ(check(index(first).mfn[508], 0), XEN_PRESERVED_REASON_NOT_RAM);
    EXPECT_EQ(check(index(first).next_mfn, 0), XEN_PRESERVED_REASON_NOT_RAM);
    EXPECT_EQ(check(index(first).next_mfn, ~0ull), XEN_PRESERVED_REASON_NOT_RAM);
    EXPECT_EQ(check(index(first).next_mfn, first), XEN_PRESERVED_REASON_LENGTH);
    EXPECT_EQ(check(index(first).next_mfn, index(first).mfn[0]), XEN_PRESERVED_REASON_MAGIC);
    EXPECT_EQ(check(index(second).next_mfn, first), XEN_PRESERVED_REASON_LENGTH);
    EXPECT_EQ(check(good.index_mfn, 0), XEN_PRESERVED_REASON_NOT_RAM);
    EXPECT_EQ(check(good.index_mfn, second), XEN_PRESERVED_REASON_LENGTH);
    EXPECT_EQ(check(good.xxh64, good.xxh64 ^ 1), XEN_PRESERVED_REASON_CHECKSUM);
    // What is beyond the used entries is nobody's.
    EXPECT_EQ(check(index(second).mfn[1], ~0ull), 0);
    preserved_chain_free(&good);
}

TEST_F(Chain, ACyclicIndexListEnds) {
    // One full index page that is its own successor, for as long as the length says.
    memory_.put(0x201);
    const auto fill = [&](std::uint64_t mfn, std::uint64_t next) {
        memory_.put(mfn);
        auto& i = index(mfn);
        i.magic = PRESERVED_INDEX_MAGIC;
        i.nr = PRESERVED_INDEX_NR;
        i.next_mfn = next;
        for (auto& entry : i.mfn) entry = 0x201;
    };
    fill(0x200, 0x200);
    preserved_chain chain{0x200, 16 * index_bytes, 0};
    // Full or not, the last must have no successor.
    EXPECT_EQ(preserved_chain_check(&chain), XEN_PRESERVED_REASON_LENGTH);
    fill(0x200, 0x202);
    fill(0x202, 0x200);
    EXPECT_EQ(preserved_chain_check(&chain), XEN_PRESERVED_REASON_LENGTH);
    // Nor do the walks that trust the check go round for ever.
    struct Count {
        std::uint64_t calls;
    } count{0};
    const auto call = [](std::uint64_t, void* arg) {
        ++static_cast<Count*>(arg)->calls;
        return 0;
    };
    EXPECT_EQ(preserved_chain_pages(&chain, call, &count), 0);
    EXPECT_EQ(count.calls, 16u * (PRESERVED_INDEX_NR + 1));
    EXPECT_EQ(read_bytes(chain).size(), chain.bytes);
}

}  // namespace
}  // namespace record_test
