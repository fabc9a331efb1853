// SPDX-License-Identifier: GPL-2.0-only
#include "image_replay.hpp"

#include <lz4.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>

#include "codec/huge_memory.hpp"
#include "codec/image_decoder.hpp"
#include "codec/image_encoder.hpp"
#include "rounds.hpp"
#include "stream/stream_writer.hpp"
#include "trace/stopwatch.hpp"

namespace replication::bench {
namespace {

using Bytes = Bytes;
using Batch = ByteView;

constexpr std::uint32_t batch_pages = codec::ImageEncoder::batch_pages;

// One pass over an image: encode each batch in order, then decode each.
class ImageCoder {
  public:
    virtual ~ImageCoder() = default;
    virtual std::string name() const = 0;
    virtual void start() = 0;
    // Timed. Returns the coded size.
    virtual std::size_t encode(Batch batch, std::uint32_t first_pfn) = 0;
    // Puts what was encoded aside for decode; not timed.
    virtual void keep() = 0;
    // Bytes that travel around what encode returned, of all batches.
    virtual std::size_t framing() { return 0; }
    // The next batch, to `out`, which is zero at the start. Batches come as they were encoded.
    virtual void decode(std::byte* image, std::uint32_t first_pfn, std::size_t size) = 0;
};

class Ours : public ImageCoder {
  public:
    Ours(std::uint32_t guest_pages, unsigned threads) {
        options_.guest_pages = guest_pages;
        options_.threads = threads;
    }
    std::string name() const override { return options_.threads == 1 ? "ours" : "ours, 2 threads"; }
    void start() override {
        encoder_ = std::make_unique<codec::ImageEncoder>(options_);
        decoder_.reset();
        wire_.clear();
        writer_.emplace(stream::Shape{options_.guest_pages, 0}, wire_);
        framing_ = wire_.size();
        coded_.clear();
        next_ = 0;
    }
    std::size_t encode(Batch batch, std::uint32_t first_pfn) override {
        pages_.clear();
        for (std::size_t at = 0; at < batch.size(); at += page_size)
            pages_.push_back({Pfn(first_pfn + at / page_size), batch.data() + at});
        chunks_ = encoder_->encode(pages_);
        return coded_size();
    }
    void keep() override {
        wire_.clear();
        writer_->image(chunks_);
        framing_ += wire_.size() - coded_size();
        coded_.emplace_back();
        for (const auto& chunk : chunks_) coded_.back().emplace_back(chunk.begin(), chunk.end());
    }
    std::size_t framing() override {
        wire_.clear();
        writer_->image_end();
        return framing_ + wire_.size();
    }
    void decode(std::byte* image, std::uint32_t, std::size_t) override {
        if (!decoder_) {
            const std::span whole(image, std::size_t{options_.guest_pages} * page_size);
            decoder_ = std::make_unique<codec::ImageDecoder>(options_, whole);
        }
        const auto& chunks = coded_[next_++];
        const std::vector<codec::Chunk> views(chunks.begin(), chunks.end());
        const codec::Status status = decoder_->decode(views);
        if (status != codec::Status::ok) throw std::runtime_error(std::string(message(status)));
    }

  private:
    std::size_t coded_size() const {
        std::size_t size = 0;
        for (const auto& chunk : chunks_) size += chunk.size();
        return size;
    }

    codec::ImageOptions options_;
    Bytes wire_;
    std::optional<stream::StreamWriter> writer_;
    std::size_t framing_ = 0;
    std::unique_ptr<codec::ImageEncoder> encoder_;
    std::unique_ptr<codec::ImageDecoder> decoder_;
    std::vector<codec::PageIn> pages_;
    std::span<const codec::Chunk> chunks_;
    std::vector<std::vector<Bytes>> coded_;
    std::size_t next_ = 0;
};

// A batch at a time; its window is far smaller than a batch. Memory is new at each start, as ours
// is.
class BatchCoder : public ImageCoder {
  public:
    void start() override {
        room_ = std::make_unique_for_overwrite<std::byte[]>(room_size);
        coded_.clear();
        next_ = 0;
    }
    std::size_t encode(Batch batch, std::uint32_t) override {
        size_ = compress(batch, {room_.get(), room_size});
        return size_;
    }
    void keep() override { coded_.emplace_back(room_.get(), room_.get() + size_); }
    void decode(std::byte* image, std::uint32_t first_pfn, std::size_t size) override {
        decompress(coded_[next_++], image + std::size_t{first_pfn} * page_size, size);
    }

  protected:
    virtual std::size_t compress(Batch batch, std::span<std::byte> out) = 0;
    virtual void decompress(const Bytes& in, std::byte* out, std::size_t size) = 0;

  private:
    // More than either library can need for a batch.
    static constexpr std::size_t room_size = std::size_t{batch_pages} * page_size * 2;
    std::unique_ptr<std::byte[]> room_;
    std::size_t size_ = 0;
    std::vector<Bytes> coded_;
    std::size_t next_ = 0;
};

class Copy : public BatchCoder {
  public:
    std::string name() const override { return "memcpy"; }

  protected:
    std::size_t compress(Batch batch, std::span<std::byte> out) override {
        std::memcpy(out.data(), batch.data(), batch.size());
        return batch.size();
    }
    void decompress(const Bytes& in, std::byte* out, std::size_t size) override {
        std::memcpy(out, in.data(), size);
    }
};

class Lz4 : public BatchCoder {
  public:
    std::string name() const override { return "lz4"; }

  protected:
    std::size_t compress(Batch batch, std::span<std::byte> out) override {
        return static_cast<std::size_t>(LZ4_compress_default(
            reinterpret_cast<const char*>(batch.data()), reinterpret_cast<char*>(out.data()),
            static_cast<int>(batch.size()), static_cast<int>(out.size())));
    }
    void decompress(const Bytes& in, std::byte* out, std::size_t size) override {
        LZ4_decompress_safe(reinterpret_cast<const char*>(in.data()), reinterpret_cast<char*>(out),
                            static_cast<int>(in.size()), static_cast<int>(size));
    }
};

class Zstd : public BatchCoder {
  public:
    std::string name() const override { return "zstd-1"; }
    void start() override {
        BatchCoder::start();
        compressor_.reset(ZSTD_createCCtx());
        decompressor_.reset(ZSTD_createDCtx());
        if (!compressor_ || !decompressor_) throw std::bad_alloc();
    }

  protected:
    std::size_t compress(Batch batch, std::span<std::byte> out) override {
        return ZSTD_compressCCtx(compressor_.get(), out.data(), out.size(), batch.data(),
                                 batch.size(), 1);
    }
    void decompress(const Bytes& in, std::byte* out, std::size_t size) override {
        ZSTD_decompressDCtx(decompressor_.get(), out, size, in.data(), in.size());
    }

  private:
    struct Free {
        void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
        void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
    };
    std::unique_ptr<ZSTD_CCtx, Free> compressor_;
    std::unique_ptr<ZSTD_DCtx, Free> decompressor_;
};

}  // namespace

std::vector<ImageResult> replay_image(const trace::TraceFile& trace,
                                      const ImageReplayOptions& options) {
    std::vector<std::unique_ptr<ImageCoder>> coders;
    coders.push_back(std::make_unique<Ours>(trace.guest_pages(), options.threads));
    if (options.peers) {
        coders.push_back(std::make_unique<Copy>());
        coders.push_back(std::make_unique<Lz4>());
        coders.push_back(std::make_unique<Zstd>());
    }
    const trace::Stopwatch stopwatch(options.wall_clock);
    const std::size_t total = std::size_t{trace.guest_pages()} * page_size;
    codec::HugeArray<std::byte> arena =
        codec::make_huge<std::byte>(std::size_t{batch_pages} * page_size);
    std::vector<ImageResult> results;
    for (const auto& coder : coders)
        results.push_back({coder->name(), static_cast<double>(total), 0, 0, 0});
    std::vector<Rounds> encoding(coders.size(), Rounds(options.wall_clock));
    std::vector<Rounds> decoding = encoding;
    const auto each_batch = [&](auto body) {
        for (std::uint32_t first = 0; first < trace.guest_pages(); first += batch_pages)
            body(first,
                 std::min<std::size_t>(batch_pages, trace.guest_pages() - first) * page_size);
    };
    for (unsigned round = 0; round < options.rounds; ++round) {
        for (std::size_t c = 0; c < coders.size(); ++c) {
            ImageCoder& coder = *coders[c];
            double encode = 0;
            double decode = 0;
            std::size_t coded = 0;
            coder.start();
            each_batch([&](std::uint32_t first, std::size_t size) {
                std::memcpy(arena.get(), trace.first_image(first), size);
                encode += stopwatch.seconds([&] {
                    coded += coder.encode({arena.get(), size}, first);
                });
                coder.keep();
            });
            coded += coder.framing();
            // The memory is there before: what the kernel takes to clear it is the same for all.
            codec::HugeArray<std::byte> image = codec::make_huge<std::byte>(total);
            std::memset(image.get(), 0, total);
            each_batch([&](std::uint32_t first, std::size_t size) {
                decode += stopwatch.seconds([&] { coder.decode(image.get(), first, size); });
            });
            if (std::memcmp(image.get(), trace.first_image(0), total) != 0)
                throw std::runtime_error(coder.name() + ": decoded image differs");
            results[c].coded_bytes = static_cast<double>(coded);
            encoding[c].add(encode);
            decoding[c].add(decode);
        }
    }
    for (std::size_t c = 0; c < coders.size(); ++c) {
        results[c].encode_seconds = encoding[c].result();
        results[c].decode_seconds = decoding[c].result();
    }
    return results;
}

}  // namespace replication::bench
