// SPDX-License-Identifier: GPL-2.0-only
#include "stream/image_receiver.hpp"

#include "format.hpp"

namespace replication::stream {
namespace {

codec::ImageOptions options_of(std::uint32_t guest_pages, unsigned threads) {
    codec::ImageOptions options;
    options.guest_pages = guest_pages;
    options.threads = threads;
    return options;
}

}  // namespace

ImageReceiver::ImageReceiver(std::uint32_t guest_pages, std::span<std::byte> image,
                             unsigned threads)
    : reader_(image_shape(guest_pages)),
      decoder_(options_of(guest_pages, threads), image),
      batch_(std::size_t{4} * threads) {}

std::size_t ImageReceiver::feed(ByteView bytes) {
    return reader_.feed(
        bytes, [this](auto type, auto payload, auto checksum) { record(type, payload, checksum); },
        [this] { return complete_; });
}

void ImageReceiver::record(std::uint32_t type, ByteView payload, std::uint64_t checksum) {
    if (static_cast<Type>(type) == Type::chunk) {
        chunks_.emplace_back(payload.begin(), payload.end());
        digest_ = chain(digest_, checksum);
        ++count_;
        if (chunks_.size() == batch_) decode();
        return;
    }
    require(static_cast<Type>(type) == Type::image_end && payload.size() == image_end_size,
            StreamErrc::bad_record);
    require(load_at<std::uint64_t>(payload, 0) == count_ &&
                load_at<std::uint64_t>(payload, 8) == digest_,
            StreamErrc::bad_image);
    decode();
    complete_ = true;
}

void ImageReceiver::decode() {
    const std::vector<codec::Chunk> views(chunks_.begin(), chunks_.end());
    require_decoded(decoder_.decode(views));
    chunks_.clear();
}

}  // namespace replication::stream
