// SPDX-License-Identifier: GPL-2.0-only
#include "harness.hpp"
#include "preserved/guest_record.hpp"

#include <xxhash.h>

FUZZ_BYTES(bytes) {
    // With a checksum that agrees, too: it keeps accidents out, not enemies.
    warmvm::Bytes patched(bytes.begin(), bytes.end());
    constexpr auto checked = warmvm::guest_record_bytes - 8;
    if (patched.size() == warmvm::guest_record_bytes) {
        warmvm::store_at(std::span(patched), checked, XXH64(patched.data(), checked, 0));
        const auto record = warmvm::decode_guest_record(patched);
        must(warmvm::encode(record) == patched);
    }
    (void)warmvm::decode_guest_record(bytes);
}
