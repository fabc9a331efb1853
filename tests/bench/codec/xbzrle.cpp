// SPDX-License-Identifier: GPL-2.0-only
#include "xbzrle.hpp"

#include <bit>
#include <cstring>

#include "codec/page.hpp"

namespace replication::bench {
namespace {

std::uint64_t difference(const std::byte* a, const std::byte* b) {
    std::uint64_t x;
    std::uint64_t y;
    std::memcpy(&x, a, 8);
    std::memcpy(&y, b, 8);
    return x ^ y;
}

bool has_zero_byte(std::uint64_t word) {
    return ((word - 0x0101010101010101) & ~word & 0x8080808080808080) != 0;
}

std::size_t end_of_equal(const std::byte* base, const std::byte* page, std::size_t at) {
    while (at + 8 <= page_size) {
        const std::uint64_t word = difference(base + at, page + at);
        if (word != 0) return at + static_cast<std::size_t>(std::countr_zero(word)) / 8;
        at += 8;
    }
    while (at < page_size && base[at] == page[at]) ++at;
    return at;
}

std::size_t end_of_new(const std::byte* base, const std::byte* page, std::size_t at) {
    while (at + 8 <= page_size && !has_zero_byte(difference(base + at, page + at))) at += 8;
    while (at < page_size && base[at] != page[at]) ++at;
    return at;
}

// Lengths are at most page_size: one or two bytes.
std::byte* put_length(std::byte* out, std::size_t length) {
    if (length >= 0x80) *out++ = static_cast<std::byte>(length | 0x80);
    *out++ = static_cast<std::byte>(length >= 0x80 ? length >> 7 : length);
    return out;
}

}  // namespace

std::optional<std::size_t> xbzrle_encode(const std::byte* base, const std::byte* page,
                                         std::byte* out) {
    const std::byte* const start = out;
    const std::byte* const end = out + xbzrle_bound;
    for (std::size_t at = 0; at < page_size;) {
        const std::size_t first_new = end_of_equal(base, page, at);
        if (first_new == page_size) break;
        const std::size_t next_equal = end_of_new(base, page, first_new);
        const std::size_t length = next_equal - first_new;
        if (static_cast<std::size_t>(end - out) < length + 4) return std::nullopt;
        out = put_length(out, first_new - at);
        out = put_length(out, length);
        std::memcpy(out, page + first_new, length);
        out += length;
        at = next_equal;
    }
    return static_cast<std::size_t>(out - start);
}

bool xbzrle_decode(const std::byte* in, std::size_t size, std::byte* page) {
    const std::byte* const end = in + size;
    std::size_t at = 0;
    const auto get_length = [&](std::size_t& length) {
        if (in == end) return false;
        length = std::to_integer<std::size_t>(*in++);
        if (length < 0x80) return true;
        if (in == end) return false;
        length = (length & 0x7f) | std::to_integer<std::size_t>(*in++) << 7;
        return length < 0x4000;
    };
    while (in != end) {
        std::size_t equal = 0;
        std::size_t fresh = 0;
        if (!get_length(equal) || !get_length(fresh)) return false;
        if (equal + fresh > page_size - at || static_cast<std::size_t>(end - in) < fresh)
            return false;
        std::memcpy(page + at + equal, in, fresh);
        in += fresh;
        at += equal + fresh;
    }
    return true;
}

}  // namespace replication::bench
