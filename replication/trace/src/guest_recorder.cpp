// SPDX-License-Identifier: GPL-2.0-only
#include "guest_recorder.hpp"

#include <algorithm>
#include <stdexcept>

#include "guest/running_guests.hpp"

namespace replication::trace {
namespace {

constexpr std::uint32_t image_batch = 1024;  // pages

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

GuestRecorder::GuestRecorder(const GuestPorts& ports, const RunningGuest& guest,
                             const std::string& path, Wait wait)
    : wait_(std::move(wait)),
      trace_(path),
      pages_(ports.domains, ports.memory, ports.log_dirty, guest.info, guest.name) {
    trace_.guest_pages(pages_.count());
}

void GuestRecorder::write_image(const warmvm::DirtyPages::Copy& copy, bool zeros) {
    const auto page = [&](std::size_t i) {
        return copy.contents.subspan(i * page_size, page_size);
    };
    for (std::size_t i = 0; i < copy.pages.size();) {
        const std::size_t first = i;
        const auto belongs = [&] {
            return i < copy.pages.size() && copy.pages[i] - copy.pages[first] == i - first &&
                   (zeros || !is_zero(page(i)));
        };
        while (belongs()) ++i;
        if (i == first) {
            ++i;
            continue;
        }
        trace_.first_image(copy.contents.subspan(first * page_size, (i - first) * page_size),
                           copy.pages[first]);
    }
}

void GuestRecorder::first_image() {
    // The guest runs on. What it writes meanwhile is in the log, and overwritten below.
    for (std::uint32_t first = 0; first < pages_.count(); first += image_batch) {
        const auto copy = pages_.read(first, std::min(image_batch, pages_.count() - first));
        write_image(copy, false);
        pages_written_ += copy.pages.size();
        wait_(std::chrono::microseconds(0));
    }
    write_image(pages_.take_written(), true);
}

void GuestRecorder::epoch(std::chrono::microseconds interval) {
    const auto left = std::chrono::duration_cast<std::chrono::microseconds>(
        pages_.resumed() + interval - std::chrono::steady_clock::now());
    wait_(std::max(left, std::chrono::microseconds(0)));
    const auto copy = pages_.take_written();
    trace_.epoch(copy.pages, copy.contents);
    pages_written_ += copy.pages.size();
}

void GuestRecorder::close() {
    pages_.close();
    trace_.close();
}

}  // namespace replication::trace
