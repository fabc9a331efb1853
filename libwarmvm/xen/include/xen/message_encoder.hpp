// SPDX-License-Identifier: GPL-2.0-only
// Marshalling of libxl's save-helper messages: native endianness and sizes, no padding, strings
// with a 32-bit length that counts the final NUL, the whole behind a 16-bit length
// (tools/libs/light/libxl_save_helper.c, libxl_save_msgs_gen.pl).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <vector>

namespace warmvm::save_helper {

using Message = std::vector<std::byte>;

class MessageEncoder {
  public:
    explicit MessageEncoder(std::uint16_t number) {
        put(std::uint16_t{0});  // the length, filled in by finish()
        put(number);
    }
    template <class T>
    requires std::is_integral_v<T>
    void put(T value) { append(&value, sizeof(value)); }
    // Cut to what a message has room for: a log line must not end a save.
    void put(std::string_view text) {
        constexpr std::size_t max_text = 4096;
        text = text.substr(0, max_text);
        put(static_cast<std::uint32_t>(text.size() + 1));
        append(text.data(), text.size());
        put('\0');
    }
    Message finish() {
        const auto length = static_cast<std::uint16_t>(message_.size() - sizeof(std::uint16_t));
        std::memcpy(message_.data(), &length, sizeof(length));
        return std::move(message_);
    }

  private:
    void append(const void* data, std::size_t bytes) {
        const auto at = message_.size();
        message_.resize(at + bytes);
        std::memcpy(message_.data() + at, data, bytes);
    }
    Message message_;
};

}  // namespace warmvm::save_helper
