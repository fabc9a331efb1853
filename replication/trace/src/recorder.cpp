// SPDX-License-Identifier: GPL-2.0-only
#include "recorder.hpp"

#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <thread>

#include "base/error.hpp"
#include "process_tree.hpp"

namespace replication::trace {
namespace {

// Memory of a guest would hold the page cache as well; files of a disk are left out here, tmpfs and
// anonymous shared memory (device number 0:x) are not.
bool is_memory(const Mapping& mapping) {
    if (!mapping.readable || !mapping.writable) return false;
    return !mapping.shared || mapping.device_major == 0;
}

}  // namespace

Recorder::Recorder(pid_t root, const std::string& path, Wait wait)
    : wait_(std::move(wait)), root_(root), trace_(path) {
    take_in_new_processes();
}

// The processes must not be stopped meanwhile: one that is cannot make its system call.
void Recorder::take_in_new_processes() {
    std::vector<pid_t> all;
    {
        const StoppedTree stopped(root_);
        all = stopped.processes();
    }
    std::erase_if(processes_, [&](const auto& known) {
        return !std::binary_search(all.begin(), all.end(), known.first);
    });
    for (const pid_t pid : all) {
        if (processes_.contains(pid)) continue;
        try {
            processes_.emplace(pid, std::make_unique<WrittenPages>(pid));
        } catch (const warmvm::Error& error) {
            // The process has ended meanwhile, or is just becoming another program.
            if (error.code() != std::errc::no_such_process && !has_ended(pid)) throw;
        }
    }
}

std::uint32_t Recorder::number(const Place& place) {
    return numbers_.try_emplace(place, static_cast<std::uint32_t>(numbers_.size())).first->second;
}

void Recorder::collect(pid_t pid, WrittenPages& written) {
    for (const Mapping& mapping : mappings_of(pid)) {
        if (!is_memory(mapping)) continue;
        ranges_.clear();
        written.take(mapping, ranges_);
        for (const auto& range : ranges_) {
            for (unsigned long at = range.start; at < range.end; at += page_size) {
                const Place place =
                    mapping.shared
                        ? Place{std::uint64_t{1} << 63 | std::uint64_t{mapping.device_minor} << 40 |
                                    mapping.inode,
                                (at - mapping.start + mapping.offset) / page_size}
                        : Place{static_cast<std::uint64_t>(pid), at / page_size};
                written_.push_back({number(place), pid, at});
            }
        }
    }
}

void Recorder::collect() {
    written_.clear();
    const StoppedTree stopped(root_);
    for (const pid_t pid : stopped.processes()) {
        const auto known = processes_.find(pid);
        if (known == processes_.end()) continue;
        try {
            collect(pid, *known->second);
        } catch (const warmvm::Error& error) {
            // It runs another program now, whose memory is taken in before the next epoch.
            if (error.code() != std::errc::no_such_process) throw;
            processes_.erase(known);
        }
    }
    const auto by_pfn = [](const Written& a, const Written& b) { return a.pfn < b.pfn; };
    std::sort(written_.begin(), written_.end(), by_pfn);
    const auto same = [](const Written& a, const Written& b) { return a.pfn == b.pfn; };
    written_.erase(std::unique(written_.begin(), written_.end(), same), written_.end());
    read_pages();
    pages_written_ += pfns_.size();
}

void Recorder::read_pages() {
    pfns_.clear();
    pages_.resize(written_.size() * page_size);
    for (const Written& page : written_) {
        const iovec local{pages_.data() + pfns_.size() * page_size, page_size};
        // NOLINTNEXTLINE(performance-no-int-to-ptr): an address of another process
        const iovec remote{reinterpret_cast<void*>(page.address), page_size};
        // A page that cannot be read, as one of a device, is no memory of the program.
        if (::process_vm_readv(page.pid, &local, 1, &remote, 1, 0) ==
            static_cast<ssize_t>(page_size))
            pfns_.push_back(page.pfn);
    }
    pages_.resize(pfns_.size() * page_size);
}

void Recorder::first_image() {
    collect();
    // The image has the pages that were numbered so far. One that could not be read stays zero.
    Bytes image(numbers_.size() * page_size);
    for (std::size_t i = 0; i < pfns_.size(); ++i)
        std::copy_n(pages_.data() + i * page_size, page_size,
                    image.data() + std::size_t{pfns_[i]} * page_size);
    trace_.first_image(image);
}

void Recorder::epoch(std::chrono::microseconds interval) {
    take_in_new_processes();
    wait_(interval);
    collect();
    trace_.epoch(pfns_, pages_);
}

}  // namespace replication::trace
