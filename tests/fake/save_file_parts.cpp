// SPDX-License-Identifier: GPL-2.0-only
#include "save_file_parts.hpp"

#include <endian.h>

namespace fake {

using warmvm::append;

warmvm::Bytes save_file_prefix(const std::string& name, const warmvm::Uuid& uuid,
                               warmvm::GuestKind kind) {
    std::string config = R"({"c_info":{"type":")" + std::string(str(kind)) + R"(","name":")" +
                         name + R"(","uuid":")" + uuid.str() + R"("},"b_info":{"max_vcpus":2}})";
    config += '\0';
    warmvm::Bytes bytes;
    append(bytes,
           warmvm::as_byte_view(std::string_view("Xen saved domain, xl format\n \0 \r", 32)));
    append(bytes, std::uint32_t{0x01020304});
    append(bytes, std::uint32_t{3});  // JSON, stream v2
    append(bytes, std::uint32_t{0});
    append(bytes, static_cast<std::uint32_t>(4 + config.size()));
    append(bytes, static_cast<std::uint32_t>(config.size()));
    append(bytes, warmvm::as_byte_view(config));
    append(bytes, htobe64(0x4c6962786c466d74));
    append(bytes, htobe32(2));
    append(bytes, std::uint32_t{0});
    append(bytes, std::uint32_t{1});  // LIBXC_CONTEXT
    append(bytes, std::uint32_t{0});
    return bytes;
}

warmvm::Bytes save_file_suffix() {
    return warmvm::Bytes(8);
}  // END

}  // namespace fake
