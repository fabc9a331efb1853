// SPDX-License-Identifier: GPL-2.0-only
#include "guest_recorder.hpp"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <numeric>
#include <stdexcept>
#include <system_error>

#include "guest/running_guests.hpp"

namespace replication::trace {
namespace {

constexpr std::uint32_t image_batch = 1024;  // pages
constexpr unsigned word_bits = 64;

[[noreturn]] void refuse(const std::string& guest, const std::string& why,
                         const std::string& mend) {
    throw std::runtime_error("guest " + guest + ": " + why + "; " + mend);
}

// nullopt: dom0 is meant.
std::optional<warmvm::DomainInfo> look_up(const GuestPorts& ports, const std::string& wanted) {
    const warmvm::DomId dom0(0);
    if (wanted == "0" || ports.store.read(warmvm::domain_path(dom0, "name")) == wanted)
        return std::nullopt;
    if (auto guest = warmvm::find_guest(ports.domains, ports.store, wanted)) return guest->info;
    refuse(wanted, "there is no such guest", "xl list shows those there are");
}

bool is_zero(ByteView page) {
    return std::ranges::all_of(page, [](std::byte octet) { return octet == std::byte{}; });
}

Undo paused(warmvm::DomainControl& domains, const RunningGuest& guest) {
    const auto id = guest.info.id;
    domains.pause(id);
    return {[&domains, id] { domains.unpause(id); }, "guest " + guest.name + " is still paused",
            "xl unpause " + guest.name};
}

Undo in_log_dirty_mode(warmvm::LogDirty& log_dirty, const RunningGuest& guest) {
    const auto id = guest.info.id;
    if (!log_dirty.enable(id))
        refuse(guest.name,
               "it is in log-dirty mode already (being migrated, or recorded by another), or a "
               "device is passed through to it",
               "wait for that to end, or detach the device (xl pci-detach)");
    return {[&log_dirty, id] { log_dirty.disable(id); },
            "guest " + guest.name + " is still in log-dirty mode, in which it is slower",
            "xl save -c " + guest.name + " FILE switches it off"};
}

}  // namespace

RunningGuest find_guest(const GuestPorts& ports, const std::string& name_or_domid) {
    const auto info = look_up(ports, name_or_domid);
    if (!info)
        throw std::runtime_error("dom0 cannot be recorded: this program runs in it; name a guest");
    const std::string id = std::to_string(info->id.value());
    RunningGuest guest{ports.store.read(warmvm::domain_path(info->id, "name")).value_or("dom" + id),
                       *info};
    const auto no = [&](const std::string& why, const std::string& mend) {
        refuse(guest.name, why, mend);
    };
    if (info->dying) no("it is being destroyed", "start it again (xl create)");
    if (info->shutdown) no("it has shut down, crashed or been suspended", "start it again");
    if (info->paused) no("it is paused", "xl unpause " + guest.name);
    if (info->kind == warmvm::GuestKind::hvm)
        no("an HVM guest has a device model, whose writes Xen does not log",
           "run it as PVH (type=\"pvh\")");
    if (info->is_pv() && info->pv_width != 8)
        no("a 32-bit PV guest cannot be recorded", "run a 64-bit kernel");
    return guest;
}

Undo::Undo(std::function<void()> undo, std::string what, std::string mend)
    : undo_(std::move(undo)), what_(std::move(what)), mend_(std::move(mend)) {}

Undo::~Undo() {
    try {
        now();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "replication-trace: %s; %s: %s\n", what_.c_str(), mend_.c_str(),
                     error.what());
    }
}

void Undo::now() {
    if (!undo_) return;
    try {
        undo_();
    } catch (const std::system_error& error) {
        // Gone with all that was done to it.
        if (error.code() != std::errc::no_such_process) throw;
    }
    undo_ = nullptr;
}

GuestRecorder::GuestRecorder(const GuestPorts& ports, RunningGuest guest, const std::string& path,
                             Wait wait)
    : ports_(ports),
      guest_(std::move(guest)),
      wait_(std::move(wait)),
      trace_(path),
      guest_pages_(find_pages()),
      log_dirty_(in_log_dirty_mode(ports_.log_dirty, guest_)),
      written_((guest_pages_.count() + word_bits - 1) / word_bits) {
    trace_.guest_pages(guest_pages_.count());
}

warmvm::GuestPages GuestRecorder::find_pages() {
    const auto frames = ports_.log_dirty.frames(guest_.info.id);
    Undo pause = paused(ports_.domains, guest_);
    warmvm::GuestPages pages(ports_.memory, guest_.info, frames);
    pause.now();
    return pages;
}

// The pages of pfns_, and without those that are not there.
void GuestRecorder::copy_out() {
    if (room_.size() < pfns_.size() * page_size) room_.resize(pfns_.size() * page_size);
    pfns_.resize(guest_pages_.read(pfns_, room_));
    pages_ = std::span(room_).first(pfns_.size() * page_size);
}

void GuestRecorder::write_image(bool zeros) {
    const auto page = [&](std::size_t i) { return pages_.subspan(i * page_size, page_size); };
    for (std::size_t i = 0; i < pfns_.size();) {
        const std::size_t first = i;
        const auto belongs = [&] {
            return i < pfns_.size() && pfns_[i] - pfns_[first] == i - first &&
                   (zeros || !is_zero(page(i)));
        };
        while (belongs()) ++i;
        if (i == first) {
            ++i;
            continue;
        }
        trace_.first_image(pages_.subspan(first * page_size, (i - first) * page_size),
                           pfns_[first]);
    }
}

// Pauses the guest for it.
void GuestRecorder::take_written() {
    Undo pause = paused(ports_.domains, guest_);
    ports_.log_dirty.take(guest_.info.id, written_);
    pfns_.clear();
    for (std::size_t word = 0; word < written_.size(); ++word)
        for (std::uint64_t bits = written_[word]; bits != 0; bits &= bits - 1) {
            const std::size_t pfn =
                word * word_bits + static_cast<std::size_t>(std::countr_zero(bits));
            if (pfn < guest_pages_.count()) pfns_.push_back(static_cast<std::uint32_t>(pfn));
        }
    guest_pages_.locate(pfns_);
    copy_out();
    pause.now();
    resumed_ = Clock::now();
}

void GuestRecorder::first_image() {
    // While the guest runs; what it writes meanwhile is in the log, and overwritten below.
    for (std::uint32_t first = 0; first < guest_pages_.count(); first += image_batch) {
        pfns_.resize(std::min(image_batch, guest_pages_.count() - first));
        std::iota(pfns_.begin(), pfns_.end(), first);
        copy_out();
        write_image(false);
        pages_written_ += pfns_.size();
        wait_(std::chrono::microseconds(0));
    }
    take_written();
    write_image(true);
}

void GuestRecorder::epoch(std::chrono::microseconds interval) {
    const auto left =
        std::chrono::duration_cast<std::chrono::microseconds>(resumed_ + interval - Clock::now());
    wait_(std::max(left, std::chrono::microseconds(0)));
    take_written();
    trace_.epoch(pfns_, pages_);
    pages_written_ += pfns_.size();
}

void GuestRecorder::close() {
    log_dirty_.now();
    trace_.close();
}

}  // namespace replication::trace
