// SPDX-License-Identifier: GPL-2.0-only
// Bytes that a parser may refuse by throwing warmvm::Error; anything else it throws is a finding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.hpp"
#include "base/error.hpp"

#define FUZZ_BYTES(name)                                                                \
    static void fuzz_one(warmvm::ByteView name);                                        \
    extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);  \
    extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) { \
        try {                                                                           \
            fuzz_one(std::as_bytes(std::span(data, size)));                             \
        } catch (const warmvm::Error&) {                                                \
        }                                                                               \
        return 0;                                                                       \
    }                                                                                   \
    static void fuzz_one(warmvm::ByteView name)

inline std::string_view as_text(warmvm::ByteView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline void must(bool condition) {
    if (!condition) __builtin_trap();
}
