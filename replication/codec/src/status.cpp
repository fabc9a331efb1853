// SPDX-License-Identifier: GPL-2.0-only
#include "codec/status.hpp"

namespace replication::codec {

std::string_view message(Status status) {
    switch (status) {
        case Status::ok:
            return "ok";
        case Status::truncated:
            return "chunk is cut short";
        case Status::trailing:
            return "bytes left over at the end of a chunk";
        case Status::bad_header:
            return "impossible chunk header";
        case Status::bad_entropy:
            return "compressed stream of a chunk is damaged";
        case Status::bad_order:
            return "pages of a chunk or epoch are not in ascending order";
        case Status::bad_pfn:
            return "page outside the guest";
        case Status::bad_reference:
            break;
    }
    return "page refers to one the receiver does not have";
}

}  // namespace replication::codec
