// SPDX-License-Identifier: GPL-2.0-only
#include "host/preserved_guests.hpp"

namespace roothammer {
namespace {

using warmvm::GuestKind;

void read_blob(const Host& host, PreservedGuest& guest) {
    try {
        guest.blob = host.preserved.blob(guest.set.id);
        auto file = warmvm::read_save_file(guest.blob);
        const auto record =
            warmvm::decode_guest_record(file.image.get(warmvm::RecordType::preserved_memory).body);
        if (record.set != guest.set.id || !(record.uuid == guest.set.uuid)) {
            throw warmvm::Error(warmvm::StreamErrc::bad_value, "the state is another guest's");
        }
        guest.name = warmvm::guest_name(file);
        const auto kind = warmvm::guest_kind(file);
        if (kind && (*kind == GuestKind::pv) == guest.set.is_pv) guest.kind = *kind;
        guest.record = record;
        guest.file = std::move(file);
    } catch (const std::exception& error) {
        guest.trouble = std::string("its state cannot be read: ") + error.what();
    }
}

}  // namespace

std::string set_name(warmvm::SetId set) {
    return "set " + std::to_string(set.value());
}

std::vector<PreservedGuest> preserved_guests(const Host& host) {
    std::vector<PreservedGuest> guests;
    if (!host.preserved.info()) return guests;
    for (const auto& set : host.preserved.sets()) {
        PreservedGuest guest;
        guest.set = set;
        guest.name = set_name(set.id);
        guest.kind = set.is_pv ? GuestKind::pv : GuestKind::hvm;
        if (set.state == warmvm::SetState::unreadable) {
            guest.trouble = describe(set.reason);
        } else {
            read_blob(host, guest);
        }
        guests.push_back(std::move(guest));
    }
    return guests;
}

}  // namespace roothammer
