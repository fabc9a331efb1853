// SPDX-License-Identifier: GPL-2.0-only
#include "guest/guest_pages.hpp"

#include <algorithm>
#include <limits>

#include "base/bytes.hpp"
#include "xen/pv_p2m.hpp"

namespace warmvm {
namespace {

constexpr std::size_t entries = page_size / sizeof(std::uint64_t);
constexpr std::size_t leaf_batch = 1024;

}  // namespace

GuestPages::GuestPages(GuestMemory& memory, const DomainInfo& domain, std::uint64_t frames)
    : memory_(memory), domain_(domain), frames_(frames) {
    if (domain_.is_pv()) {
        read_p2m();
        frames_ = std::min<std::uint64_t>(frames_, p2m_.size());
    }
    if (frames_ > std::numeric_limits<std::uint32_t>::max()) {
        throw Error::of(std::errc::value_too_large, "the guest's highest page number");
    }
    count_ = static_cast<std::uint32_t>(frames_);
}

void GuestPages::read_p2m() {
    const auto shared_info = memory_.read(domain_.id, Gfn(domain_.shared_info.value()));
    const auto leaves = find_p2m_leaves(memory_, domain_.id, shared_info,
                                        [&](Mfn mfn) { return memory_.pfn(mfn); });
    p2m_.clear();
    std::vector<Gfn> batch;
    std::vector<Page> pages(std::min(leaves.frames.size(), leaf_batch));
    for (std::size_t first = 0; first < leaves.frames.size(); first += leaf_batch) {
        batch.clear();
        for (auto i = first; i < std::min(first + leaf_batch, leaves.frames.size()); ++i) {
            batch.emplace_back(leaves.frames[i].value());
        }
        const auto readable =
            memory_.read_some(domain_.id, batch, std::as_writable_bytes(std::span(pages)));
        if (std::ranges::find(readable, false) != readable.end()) {
            throw Error(StreamErrc::bad_value, "p2m: a page of it cannot be read");
        }
        for (std::size_t leaf = 0; leaf < batch.size(); ++leaf) {
            for (std::size_t i = 0; i < entries; ++i) {
                p2m_.emplace_back(load_at<std::uint64_t>(pages[leaf], i * sizeof(std::uint64_t)));
            }
        }
    }
    p2m_.resize(std::min<std::size_t>(p2m_.size(), std::size_t{leaves.max_pfn} + 1));
    // The p2m may have become shorter since the pages were counted.
    if (p2m_.size() < count_) p2m_.resize(count_, Mfn(std::numeric_limits<std::uint64_t>::max()));
}

bool GuestPages::is_at(std::uint32_t page, Mfn frame) const {
    return memory_.pfn(frame) == Pfn(page);
}

void GuestPages::locate(std::span<const std::uint32_t> pages) {
    if (!domain_.is_pv()) return;
    const auto moved = [&](std::uint32_t page) { return !is_at(page, p2m_.at(page)); };
    if (std::ranges::any_of(pages, moved)) read_p2m();
}

std::size_t GuestPages::read(std::span<std::uint32_t> pages, std::span<std::byte> out) {
    std::vector<Gfn> frames;
    frames.reserve(pages.size());
    std::size_t known = 0;
    for (const auto page : pages) {
        if (domain_.is_pv()) {
            const auto frame = p2m_.at(page);
            if (!is_at(page, frame)) continue;
            frames.emplace_back(frame.value());
        } else {
            frames.emplace_back(page);
        }
        pages[known++] = page;
    }
    const auto readable = memory_.read_some(domain_.id, frames, out);
    std::size_t there = 0;
    for (std::size_t i = 0; i < known; ++i) {
        if (readable[i]) pages[there++] = pages[i];
    }
    return there;
}

}  // namespace warmvm
