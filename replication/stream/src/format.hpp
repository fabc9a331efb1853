// SPDX-License-Identifier: GPL-2.0-only
// The constants of docs/specs/stream.md and its integers.
#pragma once

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "codec/status.hpp"
#include "stream/shape.hpp"

namespace replication::stream {

using warmvm::append;
using warmvm::Error;
using warmvm::load_at;
using warmvm::StreamErrc;

inline constexpr std::string_view magic = "XREP\r\n\x1a\n";
inline constexpr std::uint32_t version = 1;
inline constexpr std::size_t header_size = 32;
inline constexpr std::size_t record_header_size = 16;
inline constexpr std::size_t checksum_size = 8;
// The size of a chunk is at most that of its header and of its pages.
inline constexpr std::uint64_t max_chunk_header = 128;
inline constexpr std::uint64_t max_coded_page = 4800;
inline constexpr std::size_t max_payload = 2048 * max_coded_page + max_chunk_header;
static_assert(max_payload == 9'830'400 + 128);

enum class Type : std::uint32_t { epoch_begin = 1, chunk = 2, epoch_end = 3, image_end = 4 };

inline constexpr std::size_t epoch_begin_size = 24;
inline constexpr std::size_t epoch_end_size = 16;
inline constexpr std::size_t image_end_size = 16;

// An image stream has no page store.
inline Shape image_shape(std::uint32_t guest_pages) {
    return {guest_pages, 0};
}

inline void require(bool ok, StreamErrc code) {
    if (!ok) throw Error(code, "replication stream");
}
inline void require_decoded(codec::Status status) {
    if (status != codec::Status::ok)
        throw Error(StreamErrc::bad_pages, "replication stream: " + std::string(message(status)));
}

// The digest of an image with one more chunk.
inline std::uint64_t chain(std::uint64_t digest, std::uint64_t checksum) {
    return XXH3_64bits_withSeed(&checksum, sizeof checksum, digest);
}

}  // namespace replication::stream
