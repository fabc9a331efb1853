// SPDX-License-Identifier: GPL-2.0-only
// The guests the hypervisor holds for us, with what their blobs say.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "guest/save_file.hpp"
#include "host/host.hpp"
#include "preserved/guest_record.hpp"

namespace roothammer {

struct PreservedGuest {
    warmvm::PreservedSet set;
    std::string name;                    // "set 3" if its blob cannot be read
    warmvm::GuestKind kind{};            // by its blob; hvm may be PVH if that cannot be read
    std::optional<std::string> trouble;  // why it cannot be resumed, in words
    // These are a readable blob's:
    warmvm::Bytes blob;
    std::optional<warmvm::SaveFile> file;
    std::optional<warmvm::GuestRecord> record;
};

// "set 3": what a set is called whose guest's name is not known, and what no guest can be called.
std::string set_name(warmvm::SetId set);

// Never throws because of one guest's blob.
std::vector<PreservedGuest> preserved_guests(const Host& host);

}  // namespace roothammer
