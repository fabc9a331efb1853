// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "streams.hpp"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace replication::codec {

// How a body is compressed. Zero in a zstd field leaves the level's own value.
struct EntropyTraits {
    Coding coding = Coding::stored;
    int level = 0;
    int window_log = 0;
    int hash_log = 0;
    int chain_log = 0;
    int search_log = 0;
    int min_match = 0;
    int target_length = 0;
    // Huffman-code literals even where the level's own rule would not (negative levels).
    bool code_literals = false;
};

// The compressor's working memory, one for each thread.
class Compressor {
  public:
    explicit Compressor(const EntropyTraits& traits);

    // Coded size, or 0 when `size` bytes cannot be coded in fewer than `size`. The `history` bytes
    // before `in` may be referred to as if they had been coded just before; only with zstd.
    std::size_t compress(const std::uint8_t* in, std::size_t size, std::uint8_t* out,
                         std::size_t history = 0) noexcept;

    Coding coding() const { return traits_.coding; }

  private:
    struct Free {
        void operator()(ZSTD_CCtx_s* context) const;
    };

    EntropyTraits traits_;
    std::unique_ptr<ZSTD_CCtx_s, Free> context_;
};

class Decompressor {
  public:
    Decompressor();

    // False unless `in` decodes to exactly `out_size` bytes.
    // `history`: bytes before `out` that the coded ones may refer to.
    bool zstd(const std::uint8_t* in, std::size_t size, std::uint8_t* out, std::size_t out_size,
              std::size_t history = 0) noexcept;
    static bool lz4(const std::uint8_t* in, std::size_t size, std::uint8_t* out,
                    std::size_t out_size) noexcept;

  private:
    struct Free {
        void operator()(ZSTD_DCtx_s* context) const;
    };

    std::unique_ptr<ZSTD_DCtx_s, Free> context_;
};

}  // namespace replication::codec
