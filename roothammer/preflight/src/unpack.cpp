// SPDX-License-Identifier: GPL-2.0-only
#include "preflight/unpack.hpp"

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/file.hpp"

namespace roothammer {
namespace {

using warmvm::Bytes;
using warmvm::ByteView;
using warmvm::Error;
using warmvm::StreamErrc;

template <std::size_t N>
bool begins_with(ByteView file, const std::array<unsigned char, N>& magic) {
    return file.size() >= N &&
           std::equal(magic.begin(), magic.end(), file.begin(), [](unsigned char a, std::byte b) {
               return a == std::to_integer<unsigned char>(b);
           });
}

struct InflateEnd {
    void operator()(z_stream* stream) const noexcept { inflateEnd(stream); }
};

}  // namespace

bool is_gzip(ByteView file) {
    constexpr std::size_t least = 18;
    return file.size() > least && begins_with(file, std::array<unsigned char, 2>{0x1f, 0x8b});
}

bool is_xz(ByteView file) {
    return begins_with(file, std::array<unsigned char, 6>{0xfd, '7', 'z', 'X', 'Z', 0});
}

bool is_zstd(ByteView file) {
    return begins_with(file, std::array<unsigned char, 4>{0x28, 0xb5, 0x2f, 0xfd});
}

Bytes unpack_gzip(ByteView file, std::uint64_t limit) {
    constexpr int gzip_window = 16 + MAX_WBITS;
    z_stream stream{};
    if (inflateInit2(&stream, gzip_window) != Z_OK) {
        throw Error::of(std::errc::not_enough_memory, "inflateInit2");
    }
    const std::unique_ptr<z_stream, InflateEnd> owner(&stream);
    // zlib only reads what it is given.
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(file.data()));
    stream.avail_in = static_cast<uInt>(file.size());
    Bytes out;
    constexpr std::size_t step = 1u << 20;
    for (;;) {
        const auto at = out.size();
        if (at > limit) throw Error(StreamErrc::too_big, "gzip file");
        out.resize(at + step);
        stream.next_out = reinterpret_cast<Bytef*>(out.data() + at);
        stream.avail_out = step;
        const int result = inflate(&stream, Z_NO_FLUSH);
        out.resize(at + step - stream.avail_out);
        if (result == Z_STREAM_END) break;
        if (result == Z_BUF_ERROR || (result == Z_OK && stream.avail_in == 0 && stream.avail_out)) {
            throw Error(StreamErrc::truncated, "gzip file");
        }
        if (result != Z_OK) throw Error(StreamErrc::bad_value, "gzip file");
    }
    if (out.size() > limit) throw Error(StreamErrc::too_big, "gzip file");
    return out;
}

Bytes unpack_xz(ByteView file, std::uint64_t limit) {
    Bytes out(limit);
    std::uint64_t memory_limit = std::uint64_t{256} << 20;
    std::size_t in_at = 0;
    std::size_t out_at = 0;
    const auto result = lzma_stream_buffer_decode(
        &memory_limit, 0, nullptr, reinterpret_cast<const std::uint8_t*>(file.data()), &in_at,
        file.size(), reinterpret_cast<std::uint8_t*>(out.data()), &out_at, out.size());
    switch (result) {
        case LZMA_OK:
            out.resize(out_at);
            return out;
        case LZMA_MEM_ERROR:
        case LZMA_MEMLIMIT_ERROR:
            throw Error::of(std::errc::not_enough_memory, "xz file");
        case LZMA_BUF_ERROR:
            throw Error(out_at == out.size() ? StreamErrc::too_big : StreamErrc::truncated,
                        "xz file");
        default:
            throw Error(StreamErrc::bad_value, "xz file");
    }
}

Bytes unpack_zstd(ByteView file, std::uint64_t limit) {
    Bytes out(limit);
    const auto result = ZSTD_decompress(out.data(), out.size(), file.data(), file.size());
    if (ZSTD_isError(result)) {
        switch (ZSTD_getErrorCode(result)) {
            case ZSTD_error_memory_allocation:
                throw Error::of(std::errc::not_enough_memory, "zstd file");
            case ZSTD_error_dstSize_tooSmall:
                throw Error(StreamErrc::too_big, "zstd file");
            case ZSTD_error_srcSize_wrong:
                throw Error(StreamErrc::truncated, "zstd file");
            default:
                throw Error(StreamErrc::bad_value, "zstd file");
        }
    }
    out.resize(result);
    return out;
}

Bytes unpack(Bytes file) {
    return is_gzip(file) ? unpack_gzip(file, max_boot_file_bytes) : std::move(file);
}

Bytes read_boot_file(const std::filesystem::path& path) {
    return unpack(warmvm::read_file(path, max_boot_file_bytes));
}

}  // namespace roothammer
