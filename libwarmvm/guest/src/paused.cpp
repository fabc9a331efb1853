// SPDX-License-Identifier: GPL-2.0-only
#include "guest/paused.hpp"

namespace warmvm {

Undo paused(DomainControl& domains, DomId domain, const std::string& name) {
    domains.pause(domain);
    return {[&domains, domain] { domains.unpause(domain); }, "guest " + name + " is still paused",
            "xl unpause " + name};
}

}  // namespace warmvm
