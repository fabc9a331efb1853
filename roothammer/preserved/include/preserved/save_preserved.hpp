// SPDX-License-Identifier: GPL-2.0-only
// The half of a warm reboot that runs within `xl save`, as libxl's save helper: in the place of
// copying memory into the stream, the guest's frames are preserved.
#pragma once

#include <functional>

#include "base/bytes.hpp"
#include "preserved/helper_ports.hpp"

namespace warmvm {

// Prepares what it can and waits to be let go (hold), suspends the guest (suspend returns false if
// libxl could not), preserves its memory and hands its image to write. If anything throws the set
// is released; waking the guest is libxl's part. Throws Error (timed_out) if the guest did not
// suspend.
void save_preserved(const HelperPorts& ports, DomId domain, const std::function<void()>& hold,
                    const std::function<bool()>& suspend,
                    const std::function<void(ByteView)>& write);

}  // namespace warmvm
