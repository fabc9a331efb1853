// SPDX-License-Identifier: GPL-2.0-only
// Pages for tests: guests that change in ways that reach every form of the coding.
#pragma once

#include <cstring>
#include <map>
#include <random>
#include <vector>

#include "codec/page.hpp"

namespace replication::codec::test {

using Page = Bytes;
using Random = std::mt19937_64;

inline Page random_page(Random& random) {
    Page page(page_size);
    for (std::size_t i = 0; i < page_size; i += 8) {
        const std::uint64_t word = random();
        std::memcpy(&page[i], &word, 8);
    }
    return page;
}

// Mostly zero, with values that look like pointers.
inline Page pointer_page(Random& random) {
    Page page(page_size);
    for (std::size_t i = 0; i < page_size; i += 8 * (1 + random() % 6)) {
        const std::uint64_t pointer = 0x00007f0000000000 | (random() & 0xfffff8);
        std::memcpy(&page[i], &pointer, 8);
    }
    return page;
}

// `page` after one of the things that happen to a page.
inline Page changed(const Page& page, const std::vector<Page>& others, Random& random) {
    Page next = page;
    switch (random() % 9) {
        case 0:
            return Page(page_size);
        case 1:
            return random_page(random);
        case 2:
            return pointer_page(random);
        case 3:
            return Page(page_size, static_cast<std::byte>(random()));
        case 4:
            if (!others.empty()) next = others[random() % others.size()];
            next[random() % page_size] ^= std::byte{1};
            return next;
        case 5:
            if (!others.empty()) return others[random() % others.size()];
            return next;
        case 6:
            return next;
        case 7: {
            // A stretch of any length at any place: every boundary of byte, word and block.
            const std::size_t first = random() % page_size;
            const std::size_t length = 1 + random() % (page_size - first);
            for (std::size_t i = first; i < first + length; ++i)
                next[i] = static_cast<std::byte>(random());
            return next;
        }
        default:
            for (std::uint64_t changes = 1 + random() % 64; changes != 0; --changes)
                next[random() % page_size] = static_cast<std::byte>(random());
            return next;
    }
}

// A guest's memory, with pages() in the shape the encoder takes.
class Guest {
  public:
    explicit Guest(std::uint32_t pages) : pages_(pages, Page(page_size)) {}

    std::uint32_t size() const { return static_cast<std::uint32_t>(pages_.size()); }
    Page& operator[](std::uint32_t pfn) { return pages_[pfn]; }
    const std::vector<Page>& all() const { return pages_; }

    // Changes up to `most` pages and adds them to the dirty ones.
    void run(Random& random, std::uint32_t most) {
        for (std::uint64_t count = 1 + random() % most; count != 0; --count) {
            const auto pfn = static_cast<std::uint32_t>(random() % pages_.size());
            pages_[pfn] = changed(pages_[pfn], pages_, random);
            dirty_[pfn] = true;
        }
    }
    std::vector<PageIn> dirty() const {
        std::vector<PageIn> pages;
        for (const auto& [pfn, _] : dirty_) pages.push_back({Pfn(pfn), pages_[pfn].data()});
        return pages;
    }
    void clean() { dirty_.clear(); }
    void mark(std::uint32_t pfn) { dirty_[pfn] = true; }

  private:
    std::vector<Page> pages_;
    std::map<std::uint32_t, bool> dirty_;
};

}  // namespace replication::codec::test
