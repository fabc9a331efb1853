// SPDX-License-Identifier: GPL-2.0-only
#include "entropy.hpp"

#include <lz4.h>
// For ZSTD_c_literalCompressionMode, exported by the shared library since 1.3.5.
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#include <new>
#include <stdexcept>

namespace replication::codec {
namespace {

void set(ZSTD_CCtx* context, ZSTD_cParameter parameter, int value) {
    if (value == 0) return;
    const std::size_t result = ZSTD_CCtx_setParameter(context, parameter, value);
    if (ZSTD_isError(result)) throw std::invalid_argument(ZSTD_getErrorName(result));
}

}  // namespace

void Compressor::Free::operator()(ZSTD_CCtx_s* context) const {
    ZSTD_freeCCtx(context);
}

Compressor::Compressor(const EntropyTraits& traits) : traits_(traits) {
    if (traits.coding != Coding::zstd) return;
    context_.reset(ZSTD_createCCtx());
    if (!context_) throw std::bad_alloc();
    set(context_.get(), ZSTD_c_compressionLevel, traits.level);
    set(context_.get(), ZSTD_c_windowLog, traits.window_log);
    set(context_.get(), ZSTD_c_hashLog, traits.hash_log);
    set(context_.get(), ZSTD_c_chainLog, traits.chain_log);
    set(context_.get(), ZSTD_c_searchLog, traits.search_log);
    set(context_.get(), ZSTD_c_minMatch, traits.min_match);
    set(context_.get(), ZSTD_c_targetLength, traits.target_length);
    if (traits.code_literals) set(context_.get(), ZSTD_c_literalCompressionMode, ZSTD_ps_enable);
}

std::size_t Compressor::compress(const std::uint8_t* in, std::size_t size, std::uint8_t* out,
                                 std::size_t history) noexcept {
    if (size < 2) return 0;
    // One byte less than the input as room: both libraries then give up as soon as they cannot win.
    switch (traits_.coding) {
        case Coding::stored:
        case Coding::zstd_history:
            break;
        case Coding::zstd: {
            // The prefix counts for this frame only. It lies right before the input, so zstd goes
            // on as if it were one buffer: quicker than a dictionary elsewhere.
            if (history != 0) {
                // After a frame that ran out of room the context is in the middle of it, and would
                // refuse the history: what comes out would depend on what came before.
                ZSTD_CCtx_reset(context_.get(), ZSTD_reset_session_only);
                if (ZSTD_isError(ZSTD_CCtx_refPrefix(context_.get(), in - history, history)) != 0) {
                    return 0;
                }
            }
            const std::size_t coded = ZSTD_compress2(context_.get(), out, size - 1, in, size);
            return ZSTD_isError(coded) ? 0 : coded;
        }
        case Coding::lz4: {
            const int coded = LZ4_compress_default(
                reinterpret_cast<const char*>(in), reinterpret_cast<char*>(out),
                static_cast<int>(size), static_cast<int>(size - 1));
            return coded > 0 ? static_cast<std::size_t>(coded) : 0;
        }
    }
    return 0;
}

void Decompressor::Free::operator()(ZSTD_DCtx_s* context) const {
    ZSTD_freeDCtx(context);
}

Decompressor::Decompressor() : context_(ZSTD_createDCtx()) {
    if (!context_) throw std::bad_alloc();
}

bool Decompressor::zstd(const std::uint8_t* in, std::size_t size, std::uint8_t* out,
                        std::size_t out_size, std::size_t history) noexcept {
    if (history != 0) ZSTD_DCtx_refPrefix(context_.get(), out - history, history);
    return ZSTD_decompressDCtx(context_.get(), out, out_size, in, size) == out_size;
}

bool Decompressor::lz4(const std::uint8_t* in, std::size_t size, std::uint8_t* out,
                       std::size_t out_size) noexcept {
    return LZ4_decompress_safe(reinterpret_cast<const char*>(in), reinterpret_cast<char*>(out),
                               static_cast<int>(size),
                               static_cast<int>(out_size)) == static_cast<int>(out_size);
}

}  // namespace replication::codec
