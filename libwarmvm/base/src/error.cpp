// SPDX-License-Identifier: GPL-2.0-only
#include "base/error.hpp"

#include <cerrno>

namespace warmvm {
namespace {

class StreamCategory : public std::error_category {
  public:
    [[nodiscard]] const char* name() const noexcept override { return "stream"; }
    [[nodiscard]] std::string message(int code) const override {
        switch (static_cast<StreamErrc>(code)) {
            case StreamErrc::truncated:
                return "cut short";
            case StreamErrc::bad_magic:
                return "wrong magic number";
            case StreamErrc::bad_version:
                return "unknown version";
            case StreamErrc::bad_length:
                return "wrong length";
            case StreamErrc::bad_checksum:
                return "checksum differs";
            case StreamErrc::bad_value:
                return "value out of range";
            case StreamErrc::unknown_record:
                return "unknown mandatory record";
            case StreamErrc::missing_record:
                return "a record is missing";
            case StreamErrc::duplicate_record:
                return "a record comes twice";
            case StreamErrc::too_big:
                return "larger than is plausible";
            case StreamErrc::bad_header:
                return "impossible stream header";
            case StreamErrc::bad_record:
                return "record not allowed here";
            case StreamErrc::bad_sequence:
                return "record lost, repeated or out of order";
            case StreamErrc::bad_epoch:
                return "epoch is not consistent";
            case StreamErrc::bad_pages:
                return "pages do not decode";
            case StreamErrc::wrong_base:
                return "epoch builds on one that is not the last committed";
            case StreamErrc::bad_image:
                return "image is not consistent";
        }
        return "unknown stream error";
    }
};

}  // namespace

const std::error_category& stream_category() {
    static const StreamCategory category;
    return category;
}

std::error_code make_error_code(StreamErrc code) {
    return {static_cast<int>(code), stream_category()};
}

Error Error::from_errno(const std::string& what) {
    return {std::error_code(errno, std::generic_category()), what};
}

Error Error::of(std::errc condition, const std::string& what) {
    return {std::make_error_code(condition), what};
}

}  // namespace warmvm
