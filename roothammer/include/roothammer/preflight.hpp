// SPDX-License-Identifier: GPL-2.0-only
// Everything that can be checked before the first guest is frozen. Changes nothing.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "roothammer/host.hpp"
#include "roothammer/plan.hpp"
#include "xen/kexec.hpp"

namespace roothammer {

enum class Verdict { ok, note, refused };

struct Finding {
    Verdict verdict{};
    std::string subject;  // "hypervisor", "range", "guest web1", ...
    std::string text;     // what was found
    std::string mend;     // refused: how to put it right
    bool about_guest = false;
};

// Room in the reserved range, item by item.
struct RoomItem {
    std::string what;
    std::uint64_t bytes{};
};

struct Report {
    std::vector<Finding> findings;
    std::vector<RoomItem> room;
    std::uint64_t room_needed{};
    std::uint64_t room_reserved{};
    std::vector<PlannedGuest> guests;  // that will be frozen
    warmvm::Bytes unpacked_kernel;     // to be loaded as dom0's kernel; empty: the file itself
    [[nodiscard]] bool refused() const;
    // The host was refused, not only guests.
    [[nodiscard]] bool host_refused() const;
};

struct Images {
    std::string xen, kernel, initrd;  // paths
    std::string xen_commandline;      // without liveupdate= and preserved-token=
    std::string kernel_commandline;
};

Report preflight(const Host& host, const Images& images, OnGuestFailure policy);

std::string to_json(const Report& report);
std::string to_text(const Report& report);

// The running hypervisor's command line as the next one's: options that belong to one boot are
// dropped, and no-real-mode is added (the BIOS is not callable after a kexec).
std::string next_xen_commandline(const std::string& running);
// dom0's command line as the next dom0's, without the kernel's self-tests of its cryptography: they
// take a fifth of the kernel's start, and guests stand still meanwhile. An ordinary boot does them.
// Kept where `running` speaks of them or of fips.
std::string next_kernel_commandline(const std::string& running);
std::string with_token(const std::string& commandline, std::uint64_t token);

}  // namespace roothammer
