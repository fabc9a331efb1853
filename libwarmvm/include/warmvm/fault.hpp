// SPDX-License-Identifier: GPL-2.0-only
// Named points at which a test can make a warm reboot fail or die. ROOTHAMMER_FAULT=name[:N] makes
// the Nth pass (default: the first) over the point throw; ROOTHAMMER_KILL=name[:N] makes the
// process kill itself with SIGKILL there. A name nobody passes has no effect.
#pragma once

#include <array>
#include <string_view>

namespace warmvm {

enum class FaultPoint {
    // save helper, on save: in this order
    save_start,
    save_before_suspend,
    save_suspended,
    save_preserved,
    save_stream_built,
    save_stream_written,
    // save helper, on restore
    restore_start,
    restore_static_data,
    restore_adopted,
    restore_state_set,
    restore_complete,
    // xl-warm-reboot
    load_before,
    load_after,
    load_verified,
    plan_written,
    // roothammer freeze
    freeze_start,
    freeze_quiet,
    freeze_held,
    freeze_guest_before,
    freeze_guest_saved,
    freeze_guest_done,
    freeze_all_done,
    freeze_armed,
    freeze_before_reboot,
    // roothammer resume
    resume_start,
    resume_blob_read,
    resume_restored,
    resume_unpaused,
    resume_committed,
};

inline constexpr std::array fault_point_names{
    std::string_view("save-start"),          std::string_view("save-before-suspend"),
    std::string_view("save-suspended"),      std::string_view("save-preserved"),
    std::string_view("save-stream-built"),   std::string_view("save-stream-written"),
    std::string_view("restore-start"),       std::string_view("restore-static-data"),
    std::string_view("restore-adopted"),     std::string_view("restore-state-set"),
    std::string_view("restore-complete"),    std::string_view("load-before"),
    std::string_view("load-after"),          std::string_view("load-verified"),
    std::string_view("plan-written"),        std::string_view("freeze-start"),
    std::string_view("freeze-quiet"),        std::string_view("freeze-held"),
    std::string_view("freeze-guest-before"), std::string_view("freeze-guest-saved"),
    std::string_view("freeze-guest-done"),   std::string_view("freeze-all-done"),
    std::string_view("freeze-armed"),        std::string_view("freeze-before-reboot"),
    std::string_view("resume-start"),        std::string_view("resume-blob-read"),
    std::string_view("resume-restored"),     std::string_view("resume-unpaused"),
    std::string_view("resume-committed"),
};
static_assert(fault_point_names.size() ==
              static_cast<std::size_t>(FaultPoint::resume_committed) + 1);

// Throws Error (EIO, "injected fault at NAME") if this pass is the one asked for.
void fault_point(FaultPoint point);

// Count passes from zero again.
void reset_fault_points();

}  // namespace warmvm
