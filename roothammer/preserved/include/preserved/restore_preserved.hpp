// SPDX-License-Identifier: GPL-2.0-only
// The half of a warm reboot that runs within `xl restore`, as libxl's save helper: in the place of
// copying memory out of the stream, the preserved frames are adopted by the domain that libxl has
// made.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "guest/guest_image.hpp"
#include "guest/save_helper.hpp"
#include "preserved/helper_ports.hpp"

namespace warmvm {

struct RestoreResults {
    std::uint64_t store_gfn{};  // PV: mfn
    std::uint64_t console_gfn{};
};

// What libxl's static_data_done is told to make up itself (XGR_SDD_MISSING_*).
inline constexpr unsigned missing_cpuid = 1u << 0;
inline constexpr unsigned missing_msr = 1u << 1;

// Reads an image from source, gives its set's frames to domain and sets the domain's state. Not
// committed: whoever ran libxl does that. If anything throws, destroying the domain gives the
// frames back. static_data_done returns 0 for success.
RestoreResults restore_preserved(const HelperPorts& ports, DomId domain, ByteSource& source,
                                 const RestoreChannels& channels,
                                 const std::function<int(unsigned missing)>& static_data_done);

// The frames of the guest that a resume writes, by name: the digest of a guest before the reboot
// and after may differ in these and no others.
struct WrittenFrame {
    std::string_view name;
    std::uint64_t gfn{};  // PV: pfn
};
std::vector<WrittenFrame> written_frames(const GuestImage& image);

}  // namespace warmvm
