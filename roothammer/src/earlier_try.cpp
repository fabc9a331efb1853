// SPDX-License-Identifier: GPL-2.0-only
#include "roothammer/earlier_try.hpp"

namespace roothammer {
namespace {

using warmvm::Error;
using warmvm::SetState;

// A destroyed domain gives its frames back as it is taken apart.
constexpr std::chrono::milliseconds return_limit{60000};
constexpr std::chrono::milliseconds return_step{100};
// A domain of libxl's has no more before it gets any memory of the guest's.
constexpr std::uint64_t husk_frames = 64;

void destroy(const Host& host, warmvm::DomId domain) {
    const auto info = host.domains.info(domain);
    if (!info || info->dying) return;
    const auto result = host.toolstack.destroy(domain);
    if (!result.ok()) {
        throw Error::of(std::errc::io_error, "destroying an earlier try's dom" +
                                                 std::to_string(domain.value()) + ": " +
                                                 result.message);
    }
}

// A guest that somebody is just creating looks the same; but only a resume that was cut short has
// left the guest's image beside it.
void destroy_husks(const Host& host, const warmvm::PreservedSet& set) {
    const bool was_cut_short = std::filesystem::exists(host.paths.image(set.id));
    for (const auto& domain : host.domains.list()) {
        if (!(domain.uuid == set.uuid) || domain.dying) continue;
        if (!was_cut_short || !domain.paused || domain.frames > husk_frames) {
            throw Error::of(std::errc::device_or_resource_busy,
                            "dom" + std::to_string(domain.id.value()) +
                                " has the same uuid and is no earlier try's; end it first, or the "
                                "guest would live twice");
        }
        destroy(host, domain.id);
    }
}

bool is_inherited(const Host& host, warmvm::SetId id) {
    for (const auto& set : host.preserved.sets()) {
        if (set.id == id) return set.state == SetState::inherited;
    }
    throw Error::of(std::errc::no_such_file_or_directory, "set " + std::to_string(id.value()));
}

}  // namespace

void clear_earlier_try(const Host& host, const warmvm::PreservedSet& set) {
    if (set.state == SetState::adopted) {
        destroy(host, set.domid);
    } else {
        destroy_husks(host, set);
    }
    for (std::chrono::milliseconds waited{}; waited < return_limit; waited += return_step) {
        if (is_inherited(host, set.id)) return;
        host.system.sleep(return_step);
    }
    throw Error::of(std::errc::timed_out, "an earlier try's domain still holds its frames");
}

}  // namespace roothammer
