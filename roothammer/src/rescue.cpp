// SPDX-License-Identifier: GPL-2.0-only
#include "roothammer/rescue.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.hpp"
#include "base/lock.hpp"
#include "host/preserved_guests.hpp"
#include "preserved/rescued_file.hpp"
#include "roothammer/earlier_try.hpp"

namespace roothammer {
namespace {

using warmvm::Error;
using warmvm::SetState;

// name is the guest's, or "set N", which no guest's can be.
PreservedGuest find(const Host& host, const std::string& name) {
    auto guests = preserved_guests(host);
    const auto is_meant = [&](const PreservedGuest& guest) {
        return guest.name == name || set_name(guest.set.id) == name;
    };
    const auto found = std::ranges::find_if(guests, is_meant);
    if (found == guests.end()) {
        throw Error::of(std::errc::no_such_file_or_directory, "no preserved guest " + name);
    }
    const auto other = std::find_if(std::next(found), guests.end(), is_meant);
    if (other != guests.end()) {
        throw Error::of(std::errc::invalid_argument,
                        "two preserved guests have the name " + name + ": say '" +
                            set_name(found->set.id) + "' or '" + set_name(other->set.id) +
                            "'; `roothammer list --json` tells more of them");
    }
    return std::move(*found);
}

void make_inherited(const Host& host, const PreservedGuest& guest) {
    switch (guest.set.state) {
        case SetState::inherited:
            return;
        case SetState::adopted:
            clear_earlier_try(host, guest.set);
            return;
        case SetState::local:
            throw Error::of(std::errc::device_or_resource_busy,
                            "guest " + guest.name +
                                " is frozen; `roothammer recover` lets it run on, if no warm "
                                "reboot is under way");
        case SetState::unreadable:
            break;
    }
    throw Error::of(std::errc::invalid_argument,
                    guest.name + " is unreadable (" + guest.trouble.value_or("") +
                        "); `roothammer discard unreadable` gives such memory up for good");
}

// A file that goes again unless it is finished.
class NewFile {
  public:
    explicit NewFile(std::filesystem::path path)
        : path_(std::move(path)), fd_(warmvm::open_file(path_, O_WRONLY | O_CREAT | O_EXCL)) {}
    ~NewFile() {
        std::error_code ignored;
        if (!done_) std::filesystem::remove(path_, ignored);
    }
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;
    void write(warmvm::ByteView bytes) { warmvm::write_exactly(fd_.get(), bytes, path_.string()); }
    void finish() {
        if (::fsync(fd_.get()) < 0) throw Error::from_errno("fsync " + path_.string());
        done_ = true;
    }

  private:
    std::filesystem::path path_;
    warmvm::Fd fd_;
    bool done_ = false;
};

}  // namespace

void rescue(const Host& host, const std::string& name, const std::filesystem::path& file) {
    const auto lock = take_lock(host.paths.work_lock());
    const auto guest = find(host, name);
    make_inherited(host, guest);
    if (!guest.file)
        throw Error::of(std::errc::invalid_argument, name + ": " + guest.trouble.value_or(""));
    NewFile out(file);
    warmvm::write_rescued(host.preserved, guest.set.id, *guest.file,
                          [&](warmvm::ByteView bytes) { out.write(bytes); });
    out.finish();
}

void discard(const Host& host, const std::string& name) {
    const auto lock = take_lock(host.paths.work_lock());
    if (name == "unreadable") {
        for (const auto& set : host.preserved.sets()) {
            if (set.state != SetState::unreadable) continue;
            host.preserved.discard(set.id);  // all of them: they cannot be told apart
            return;
        }
        throw Error::of(std::errc::no_such_file_or_directory, "no set is unreadable");
    }
    const auto guest = find(host, name);
    if (guest.set.state == SetState::unreadable) {
        throw Error::of(std::errc::invalid_argument,
                        "unreadable sets cannot be told apart; `roothammer discard unreadable` "
                        "discards them all");
    }
    make_inherited(host, guest);
    host.preserved.discard(guest.set.id);
}

}  // namespace roothammer
