// SPDX-License-Identifier: GPL-2.0-only
// The machine that record.c runs on in the tests: physical pages behind preserved_page(),
// preserved_ram(), preserved_page_alloc() and preserved_page_free().
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "record.hpp"

namespace record_test {

struct Page {
    alignas(8) std::array<std::uint8_t, PRESERVED_PAGE> bytes{};
};

struct MfnRange {
    std::uint64_t first, count;  // frames
};

// Record.c has no context pointer, so one memory is the machine's at a time: the newest.
// Every page is an allocation of its own, so that AddressSanitizer sees a step over its edge.
class FakeMemory {
  public:
    // Sequential mfns give the same record each time; scattered ones show who counts on it.
    enum class Order { sequential, scattered };

    explicit FakeMemory(Order order = Order::scattered);
    ~FakeMemory();
    FakeMemory(const FakeMemory&) = delete;
    FakeMemory& operator=(const FakeMemory&) = delete;
    static FakeMemory& current();

    // RAM that guests may have had. Pages that are allocated or put are RAM beside.
    void add_ram(MfnRange range) { ram_.push_back(range); }
    // A page at a place of the caller's choice; not counted as allocated.
    Page& put(std::uint64_t mfn) { return pages_[mfn].page; }
    // The nth allocation from now (1: the next) fails, and only that.
    void fail_allocation(std::uint64_t nth) { fail_in_ = nth; }

    [[nodiscard]] std::uint64_t allocated() const { return allocated_; }   // and not freed
    [[nodiscard]] std::uint64_t allocations() const { return attempts_; }  // failed ones too
    [[nodiscard]] std::uint64_t bad_frees() const { return bad_frees_; }   // of no page, or twice
    [[nodiscard]] std::vector<std::uint64_t> mfns() const;

    Page* find(std::uint64_t mfn);
    [[nodiscard]] bool is_ram(std::uint64_t mfn, std::uint64_t count) const;
    Page* allocate(std::uint64_t* mfn);
    void free(std::uint64_t mfn);

  private:
    struct Slot {
        std::unique_ptr<Page> storage = std::make_unique<Page>();
        Page& page = *storage;
        bool allocated = false;
    };
    Order order_;
    FakeMemory* previous_;
    std::map<std::uint64_t, Slot> pages_;
    std::vector<MfnRange> ram_;
    std::uint64_t allocated_ = 0, attempts_ = 0, bad_frees_ = 0, fail_in_ = 0;
};

}  // namespace record_test
