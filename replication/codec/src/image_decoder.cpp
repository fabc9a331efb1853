// SPDX-License-Identifier: GPL-2.0-only
#include "codec/image_decoder.hpp"

#include <algorithm>
#include <cstring>
#include <deque>
#include <stdexcept>
#include <vector>

#include "blocks.hpp"
#include "chunk_reader.hpp"
#include "codec/workers.hpp"
#include "octets.hpp"

namespace replication::codec {

class ImageDecoder::Impl {
  public:
    Impl(const ImageOptions& options, std::span<std::byte> image)
        : guest_pages_(options.guest_pages),
          image_(image),
          workers_(options.threads),
          written_(options.guest_pages) {
        if (image.size() != std::size_t{guest_pages_} * page_size)
            throw std::invalid_argument("an image has as many pages as its guest");
        for (unsigned i = 0; i < options.threads; ++i) readers_.emplace_back(kernels(options.isa));
    }

    Status decode(std::span<const Chunk> chunks) {
        results_.resize(chunks.size());
        workers_.each(chunks.size(), [&](unsigned worker, std::size_t c) {
            decode_chunk(readers_[worker], chunks[c], results_[c]);
        });
        // Copies last, and serially: their pages may be in any earlier chunk, also of this batch.
        for (const Result& result : results_) {
            if (result.status != Status::ok) return result.status;
            if (result.first < next_pfn_) return Status::bad_order;
            next_pfn_ = result.last + 1;
            for (const std::uint32_t pfn : result.pages) written_[pfn] = true;
            for (const Copy& copy : result.copies) {
                if (copy.from >= copy.to || !written_[copy.from]) return Status::bad_reference;
                std::memcpy(page(copy.to), page(copy.from), page_size);
            }
        }
        return Status::ok;
    }

  private:
    struct Copy {
        std::uint32_t from;
        std::uint32_t to;
    };
    struct Result {
        Status status;
        std::uint64_t first;
        std::uint64_t last;
        std::vector<std::uint32_t> pages;  // may be referred to
        std::vector<Copy> copies;
    };

    std::uint8_t* page(std::uint32_t pfn) {
        return octets(image_.data() + std::size_t{pfn} * page_size);
    }

    void decode_chunk(ChunkReader& reader, Chunk chunk, Result& result) {
        result.pages.clear();
        result.copies.clear();
        result.status = reader.open(chunk);
        // No page of an image has an earlier version, so there is no history to wait for.
        if (result.status == Status::ok) result.status = reader.open_literals();
        for (std::size_t i = 0; result.status == Status::ok && i < reader.pages(); ++i) {
            ChunkReader::Head head;
            result.status = reader.head(guest_pages_, head);
            if (result.status != Status::ok) return;
            const auto pfn = static_cast<std::uint32_t>(head.pfn.value());
            if (i == 0) result.first = pfn;
            result.last = pfn;
            switch (head.kind) {
                case Kind::same:
                case Kind::delta_self:
                case Kind::delta_candidate:
                    result.status = Status::bad_reference;
                    return;
                case Kind::copy:
                    result.copies.push_back({static_cast<std::uint32_t>(head.reference), pfn});
                    break;
                case Kind::zero:
                    // The image starts as zeros; writing them would only take memory.
                    break;
                case Kind::raw:
                case Kind::delta_zero:
                case Kind::delta_repeat:
                    result.status = reader.content(head, zero_page.data(), all_blocks, page(pfn));
                    result.pages.push_back(pfn);
            }
        }
        if (result.status == Status::ok) result.status = reader.close();
    }

    std::uint32_t guest_pages_;
    std::span<std::byte> image_;
    Workers workers_;
    std::deque<ChunkReader> readers_;
    std::vector<Result> results_;
    std::vector<bool> written_;
    std::uint64_t next_pfn_ = 0;
};

ImageDecoder::ImageDecoder(const ImageOptions& options, std::span<std::byte> image)
    : impl_(std::make_unique<Impl>(options, image)) {}
ImageDecoder::~ImageDecoder() = default;
Status ImageDecoder::decode(std::span<const Chunk> chunks) {
    return impl_->decode(chunks);
}

}  // namespace replication::codec
