// SPDX-License-Identifier: GPL-2.0-only
// Any bytes as a stream. The checksums are set right first, or hardly any input would come past
// them.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "format.hpp"
#include "stream/epoch_receiver.hpp"
#include "stream/image_receiver.hpp"

using namespace replication;
using namespace replication::stream;

namespace {

void set_checksums(Bytes& bytes) {
    const auto put = [&](std::size_t at, std::uint64_t value) {
        warmvm::store_at(bytes, at, value);
    };
    if (bytes.size() < header_size) return;
    put(24, XXH3_64bits(bytes.data(), 24));
    std::uint64_t sequence = 0;
    std::uint64_t image_digest = 0;
    std::vector<std::uint64_t> checksums;
    for (std::size_t at = header_size; bytes.size() - at >= record_header_size;) {
        const std::size_t length = load_at<std::uint32_t>(bytes, at + 4);
        const std::size_t size = record_header_size + length + checksum_size;
        if (length > max_payload || bytes.size() - at < size) return;
        put(at + 8, sequence++);
        const auto type = static_cast<Type>(load_at<std::uint32_t>(bytes, at));
        if (type == Type::epoch_begin) checksums.clear();
        if (type == Type::epoch_end && length == epoch_end_size)
            put(at + record_header_size + 8,
                XXH3_64bits_withSeed(checksums.data(), checksums.size() * 8,
                                     load_at<std::uint64_t>(bytes, at + record_header_size)));
        if (type == Type::image_end && length == image_end_size)
            put(at + record_header_size + 8, image_digest);
        const std::uint64_t checksum = XXH3_64bits(&bytes[at], record_header_size + length);
        put(at + record_header_size + length, checksum);
        if (type == Type::chunk) {
            checksums.push_back(checksum);
            image_digest = chain(image_digest, checksum);
        }
        at += size;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto view = std::as_bytes(std::span(data, size));
    Bytes bytes(view.begin(), view.end());
    set_checksums(bytes);
    // The header says which of the two it is; the other refuses it.
    Bytes image(6 * page_size);
    ImageReceiver image_receiver(6, image, 1);
    try {
        image_receiver.feed(bytes);
    } catch (const Error&) {
        if (image_receiver.complete()) std::abort();
    }
    EpochReceiver receiver({64, 40}, 1);
    std::uint64_t before = receiver.store().digest();
    try {
        for (std::size_t at = 0; at < bytes.size();) {
            at += receiver.feed({bytes.data() + at, std::min<std::size_t>(977, bytes.size() - at)});
            if (!receiver.ready()) continue;
            receiver.commit();
            before = receiver.store().digest();
        }
        receiver.end();
    } catch (const Error&) {
        if (receiver.ready() || receiver.store().digest() != before) std::abort();
    }
    return 0;
}
