// SPDX-License-Identifier: GPL-2.0-only
#include "harness.hpp"
#include "preflight/dom0_kernel.hpp"
#include "preflight/kernel_notes.hpp"
#include "preflight/unpack.hpp"
#include "preflight/xen_image.hpp"

FUZZ_BYTES(bytes) {
    const auto attempt = [](auto parse) {
        try {
            parse();
        } catch (const warmvm::Error&) {
        }
    };
    attempt([&] { must(roothammer::inspect_xen(bytes).memory_bytes > 0); });
    attempt([&] { (void)roothammer::inspect_kernel(bytes); });
    attempt([&] { (void)roothammer::unpacked_kernel(bytes); });
    attempt([&] { (void)roothammer::starts_as_pvh(bytes); });
    attempt([&] { (void)roothammer::unpack({bytes.begin(), bytes.end()}); });
}
