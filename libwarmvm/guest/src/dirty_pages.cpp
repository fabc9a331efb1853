// SPDX-License-Identifier: GPL-2.0-only
#include "guest/dirty_pages.hpp"

#include <bit>
#include <numeric>
#include <utility>

#include "guest/log_dirty_mode.hpp"
#include "guest/paused.hpp"

namespace warmvm {
namespace {

constexpr unsigned word_bits = 64;

}  // namespace

DirtyPages::DirtyPages(DomainControl& domains, GuestMemory& memory, LogDirty& log_dirty,
                       const DomainInfo& guest, std::string name)
    : domains_(domains),
      log_dirty_(log_dirty),
      guest_(guest),
      name_(std::move(name)),
      pages_(find_pages(memory)),
      log_dirty_mode_(in_log_dirty_mode(log_dirty_, guest_.id, name_)),
      written_((pages_.count() + word_bits - 1) / word_bits) {}

GuestPages DirtyPages::find_pages(GuestMemory& memory) {
    const auto frames = log_dirty_.frames(guest_.id);
    Undo pause = paused(domains_, guest_.id, name_);
    GuestPages pages(memory, guest_, frames);
    pause.now();
    return pages;
}

DirtyPages::Copy DirtyPages::copy_out() {
    if (contents_.size() < numbers_.size() * page_size) {
        contents_.resize(numbers_.size() * page_size);
    }
    numbers_.resize(pages_.read(numbers_, contents_));
    return {numbers_, ByteView(contents_).first(numbers_.size() * page_size)};
}

DirtyPages::Copy DirtyPages::read(std::uint32_t first, std::uint32_t count) {
    numbers_.resize(count);
    std::iota(numbers_.begin(), numbers_.end(), first);
    return copy_out();
}

DirtyPages::Copy DirtyPages::take_written() {
    Undo pause = paused(domains_, guest_.id, name_);
    log_dirty_.take(guest_.id, written_);
    numbers_.clear();
    for (std::size_t word = 0; word < written_.size(); ++word) {
        for (std::uint64_t bits = written_[word]; bits != 0; bits &= bits - 1) {
            const auto page = word * word_bits + static_cast<std::size_t>(std::countr_zero(bits));
            if (page < count()) numbers_.push_back(static_cast<std::uint32_t>(page));
        }
    }
    pages_.locate(numbers_);
    const auto copy = copy_out();
    pause.now();
    resumed_ = std::chrono::steady_clock::now();
    return copy;
}

}  // namespace warmvm
