// SPDX-License-Identifier: GPL-2.0-only
#include "guest/guest_image.hpp"
#include "harness.hpp"
#include "preserved/restore_preserved.hpp"

FUZZ_BYTES(bytes) {
    warmvm::MemorySource source(bytes);
    const auto image = warmvm::read_guest_image(source);
    // What was read can be written, and reads the same.
    const auto again = warmvm::encode(image);
    warmvm::MemorySource second(again);
    must(warmvm::encode(warmvm::read_guest_image(second)) == again);
    (void)warmvm::written_frames(image);
}
