// SPDX-License-Identifier: GPL-2.0-only
#include "guest/save_file.hpp"

#include <endian.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace warmvm {
namespace {

constexpr std::string_view xl_magic("Xen saved domain, xl format\n \0 \r", 32);
constexpr std::uint32_t xl_byte_order = 0x01020304;
constexpr std::uint32_t xl_flag_json = 1u << 0;
constexpr std::uint32_t xl_flag_stream_v2 = 1u << 1;
constexpr std::uint32_t max_config_bytes = 16u << 20;

constexpr std::uint64_t libxl_ident = 0x4c6962786c466d74;  // "LibxlFmt"
constexpr std::uint32_t libxl_version = 2;
constexpr std::uint32_t libxl_end = 0;
constexpr std::uint32_t libxl_libxc_context = 1;
constexpr std::size_t record_align = 8;

void require(bool condition, StreamErrc code, const char* what) {
    if (!condition) throw Error(code, what);
}

std::string read_config(ByteReader& in) {
    const auto magic = in.take(xl_magic.size());
    require(std::ranges::equal(magic, as_byte_view(xl_magic)), StreamErrc::bad_magic, "xl header");
    require(in.get<std::uint32_t>() == xl_byte_order, StreamErrc::bad_value,
            "xl header's byte order");
    const auto mandatory = in.get<std::uint32_t>();
    require(mandatory == (xl_flag_json | xl_flag_stream_v2), StreamErrc::bad_value,
            "xl header's flags");
    (void)in.get<std::uint32_t>();
    const auto optional_bytes = in.get<std::uint32_t>();
    require(optional_bytes <= max_config_bytes, StreamErrc::too_big, "xl header's optional data");
    ByteReader optional(in.take(optional_bytes), "xl header's optional data");
    const auto config = optional.take(optional.get<std::uint32_t>());
    std::string text(config.size(), '\0');
    if (!config.empty()) std::memcpy(text.data(), config.data(), config.size());
    text.resize(std::min(text.size(), text.find('\0')));
    return text;
}

void check_suffix(ByteView suffix) {
    ByteReader in(suffix, "libxl stream");
    for (;;) {
        const auto type = in.get<std::uint32_t>();
        const auto length = in.get<std::uint32_t>();
        (void)in.take(length);
        (void)in.take((record_align - length % record_align) % record_align);
        if (type == libxl_end) break;
    }
    require(in.left() == 0, StreamErrc::bad_length, "libxl stream");
}

std::optional<std::string> of_c_info(const SaveFile& file, const char* key) {
    const auto config = nlohmann::json::parse(file.config, nullptr, false);
    if (!config.is_object() || !config.contains("c_info")) return std::nullopt;
    const auto& info = config["c_info"];
    if (!info.is_object() || !info.contains(key) || !info[key].is_string()) return std::nullopt;
    return info[key].get<std::string>();
}

}  // namespace

SaveFile read_save_file(ByteView bytes) {
    SaveFile file;
    ByteReader in(bytes, "save file");
    file.config = read_config(in);
    require(be64toh(in.get<std::uint64_t>()) == libxl_ident, StreamErrc::bad_magic, "libxl header");
    require(be32toh(in.get<std::uint32_t>()) == libxl_version, StreamErrc::bad_version,
            "libxl header");
    require(in.get<std::uint32_t>() == 0, StreamErrc::bad_value, "libxl header's options");
    require(in.get<std::uint32_t>() == libxl_libxc_context && in.get<std::uint32_t>() == 0,
            StreamErrc::missing_record, "libxl stream: LIBXC_CONTEXT");
    file.prefix.assign(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(in.position()));

    MemorySource source(bytes.subspan(in.position()));
    file.image = read_guest_image(source);
    const auto suffix = bytes.subspan(in.position() + source.position());
    check_suffix(suffix);
    file.suffix.assign(suffix.begin(), suffix.end());
    return file;
}

bool is_guest_name(std::string_view name) {
    constexpr std::size_t max_name = 127;
    return !name.empty() && name.size() <= max_name && std::ranges::all_of(name, [](char c) {
        return static_cast<unsigned char>(c) > ' ' && c != 0x7f && c != '/';
    });
}

std::string guest_name(const SaveFile& file) {
    const auto name = of_c_info(file, "name");
    require(name && is_guest_name(*name), StreamErrc::bad_value, "the config's name");
    return *name;
}

std::optional<GuestKind> guest_kind(const SaveFile& file) {
    return parse_guest_kind(of_c_info(file, "type").value_or(""));
}

}  // namespace warmvm
