// SPDX-License-Identifier: GPL-2.0-only
#include "stream/error.hpp"

#include <string>

namespace replication::stream {
namespace {

class Category : public std::error_category {
  public:
    const char* name() const noexcept override { return "stream"; }
    std::string message(int code) const override {
        switch (static_cast<Errc>(code)) {
            case Errc::bad_magic:
                return "not a replication stream";
            case Errc::bad_version:
                return "stream version not supported";
            case Errc::bad_header:
                return "impossible stream header";
            case Errc::bad_checksum:
                return "checksum does not match";
            case Errc::bad_record:
                return "record not allowed here";
            case Errc::bad_sequence:
                return "record lost, repeated or out of order";
            case Errc::bad_epoch:
                return "epoch is not consistent";
            case Errc::bad_pages:
                return "pages do not decode";
            case Errc::wrong_base:
                return "epoch builds on one that is not the last committed";
            case Errc::bad_image:
                return "image is not consistent";
            case Errc::cut_short:
                return "stream is cut short";
        }
        return "unknown stream error";
    }
};

}  // namespace

const std::error_category& stream_category() noexcept {
    static const Category category;
    return category;
}

}  // namespace replication::stream
