// SPDX-License-Identifier: GPL-2.0-only
#include "xen/types.hpp"

#include <algorithm>
#include <charconv>
#include <span>

#include "base/hex.hpp"

namespace warmvm {
namespace {

constexpr std::array<std::string_view, 3> kind_names{"pv", "pvh", "hvm"};

}  // namespace

std::string str(DomId domain) {
    return "dom" + std::to_string(domain.value());
}

std::string_view str(GuestKind kind) {
    return kind_names.at(static_cast<std::size_t>(kind));
}

std::optional<GuestKind> parse_guest_kind(std::string_view text) {
    const auto* const found = std::ranges::find(kind_names, text);
    if (found == kind_names.end()) return std::nullopt;
    return static_cast<GuestKind>(found - kind_names.begin());
}

std::string Uuid::str() const {
    auto text = hex(std::as_bytes(std::span(bytes)));
    for (const std::size_t at : {8, 13, 18, 23}) text.insert(at, 1, '-');
    return text;
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
    Uuid uuid;
    std::size_t at = 0;
    for (std::size_t i = 0; i < uuid.bytes.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            if (at >= text.size() || text[at] != '-') return std::nullopt;
            ++at;
        }
        if (at + 2 > text.size()) return std::nullopt;
        const char* first = text.data() + at;
        const auto [end, error] = std::from_chars(first, first + 2, uuid.bytes[i], 16);
        if (error != std::errc{} || end != first + 2) return std::nullopt;
        at += 2;
    }
    if (at != text.size()) return std::nullopt;
    return uuid;
}

}  // namespace warmvm
