// SPDX-License-Identifier: GPL-2.0-only
#include "fake_memory.hpp"

#include <algorithm>
#include <cassert>
#include <cstdlib>

namespace record_test {
namespace {

FakeMemory* newest = nullptr;

constexpr std::uint64_t first_mfn = 0x100;

// A bijection of 16 bits, so scattered mfns are distinct until 65536 pages were taken.
std::uint64_t scatter(std::uint64_t n) {
    return (n * 40503 + 12345) & 0xffff;
}

}  // namespace

FakeMemory::FakeMemory(Order order) : order_(order), previous_(newest) {
    newest = this;
}

FakeMemory::~FakeMemory() {
    newest = previous_;
}

FakeMemory& FakeMemory::current() {
    if (!newest) std::abort();
    return *newest;
}

std::vector<std::uint64_t> FakeMemory::mfns() const {
    std::vector<std::uint64_t> mfns;
    mfns.reserve(pages_.size());
    for (const auto& entry : pages_) mfns.push_back(entry.first);
    return mfns;
}

Page* FakeMemory::find(std::uint64_t mfn) {
    const auto found = pages_.find(mfn);
    return found == pages_.end() ? nullptr : &found->second.page;
}

bool FakeMemory::is_ram(std::uint64_t mfn, std::uint64_t count) const {
    const auto inside = [&](const MfnRange& r) {
        return mfn >= r.first && mfn - r.first < r.count && count <= r.count - (mfn - r.first);
    };
    return std::any_of(ram_.begin(), ram_.end(), inside) || (count == 1 && pages_.contains(mfn));
}

Page* FakeMemory::allocate(std::uint64_t* mfn) {
    ++attempts_;
    if (fail_in_ && !--fail_in_) return nullptr;
    *mfn = first_mfn + (order_ == Order::sequential ? attempts_ - 1 : scatter(attempts_));
    auto& slot = pages_[*mfn];
    if (slot.allocated) std::abort();
    slot.allocated = true;
    ++allocated_;
    return &slot.page;
}

void FakeMemory::free(std::uint64_t mfn) {
    const auto found = pages_.find(mfn);
    if (found == pages_.end() || !found->second.allocated) {
        ++bad_frees_;
        return;
    }
    --allocated_;
    pages_.erase(found);
}

}  // namespace record_test

extern "C" {

const void* preserved_page(std::uint64_t mfn) {
    return record_test::FakeMemory::current().find(mfn);
}

bool preserved_ram(std::uint64_t mfn, std::uint64_t count) {
    return record_test::FakeMemory::current().is_ram(mfn, count);
}

void* preserved_page_alloc(std::uint64_t* mfn) {
    return record_test::FakeMemory::current().allocate(mfn);
}

void preserved_page_free(std::uint64_t mfn) {
    record_test::FakeMemory::current().free(mfn);
}

}  // extern "C"
