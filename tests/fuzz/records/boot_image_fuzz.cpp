// SPDX-License-Identifier: GPL-2.0-only
#include "harness.hpp"
#include "roothammer/boot_images.hpp"
#include "roothammer/kernel_notes.hpp"

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
