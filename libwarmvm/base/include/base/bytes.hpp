// SPDX-License-Identifier: GPL-2.0-only
// Reading and making little-endian structures out of bytes nobody vouches for.
#pragma once

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/error.hpp"

namespace warmvm {

static_assert(std::endian::native == std::endian::little);

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;

inline ByteView as_byte_view(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

// A cursor that never reads beyond its span; what() of its errors starts with the name it was
// given.
class ByteReader {
  public:
    ByteReader(ByteView data, std::string name) : data_(data), name_(std::move(name)) {}

    [[nodiscard]] std::size_t left() const { return data_.size() - at_; }
    [[nodiscard]] std::size_t position() const { return at_; }

    ByteView take(std::size_t bytes) {
        if (bytes > left()) throw Error(StreamErrc::truncated, name_);
        const auto part = data_.subspan(at_, bytes);
        at_ += bytes;
        return part;
    }
    template <class T>
    requires std::is_trivially_copyable_v<T> T get() {
        T value;
        std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
        return value;
    }

  private:
    ByteView data_;
    std::string name_;
    std::size_t at_ = 0;
};

template <class T>
requires std::is_trivially_copyable_v<T>
void append(Bytes& out, const T& value) {
    const auto at = out.size();
    out.resize(at + sizeof(T));
    std::memcpy(out.data() + at, &value, sizeof(T));
}
inline void append(Bytes& out, ByteView bytes) {
    const auto at = out.size();
    out.resize(at + bytes.size());
    if (!bytes.empty()) std::memcpy(out.data() + at, bytes.data(), bytes.size());
}

// A field at an offset of a larger structure that is kept as bytes.
template <class T>
requires std::is_trivially_copyable_v<T> T load_at(ByteView bytes, std::size_t offset) {
    return ByteReader(bytes.subspan(std::min(offset, bytes.size())), "structure").get<T>();
}
template <class T>
requires std::is_trivially_copyable_v<T>
void store_at(std::span<std::byte> bytes, std::size_t offset, const T& value) {
    if (offset > bytes.size() || sizeof(T) > bytes.size() - offset) {
        throw Error(StreamErrc::truncated, "structure");
    }
    std::memcpy(bytes.data() + offset, &value, sizeof(T));
}

// Where a stream comes from. read() fills all of out or throws (StreamErrc::truncated at the end).
class ByteSource {
  public:
    virtual ~ByteSource() = default;
    virtual void read(std::span<std::byte> out) = 0;
};

class MemorySource final : public ByteSource {
  public:
    explicit MemorySource(ByteView data) : reader_(data, "stream") {}
    void read(std::span<std::byte> out) override {
        const auto part = reader_.take(out.size());
        std::copy(part.begin(), part.end(), out.begin());
    }
    [[nodiscard]] std::size_t position() const { return reader_.position(); }

  private:
    ByteReader reader_;
};

}  // namespace warmvm
