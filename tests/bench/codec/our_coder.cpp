// SPDX-License-Identifier: GPL-2.0-only
#include "our_coder.hpp"

#include <cstring>
#include <stdexcept>

#include "codec/epoch_decoder.hpp"
#include "stream/stream_writer.hpp"
#include "trace/trace_file.hpp"

namespace replication::bench {
namespace {

class OurCoder : public Coder {
  public:
    OurCoder(std::string name, const codec::EncoderOptions& options, const trace::TraceFile& trace)
        : Coder(std::move(name)),
          encoder_(options),
          decoder_(options),
          writer_({options.guest_pages, options.store_slots}, wire_) {
        constexpr std::uint32_t step = 16384;
        for (const trace::TraceFile::Run& run : trace.first_image_runs()) {
            const std::uint32_t end = run.first + run.pages;
            for (std::uint32_t first = run.first; first < end; first += step) {
                pages_.clear();
                for (std::uint32_t pfn = first; pfn < std::min(first + step, end); ++pfn)
                    pages_.push_back({Pfn(pfn), trace.first_image(pfn)});
                decode(encoder_.encode(pages_));
                encoder_.commit();
                decoder_.commit();
            }
        }
    }
    Keeps keeps() const override { return Keeps::own; }
    bool counts_pfns() const override { return true; }

    void prepare(const EpochPages& epoch, const ReferenceImage&) override {
        pages_.clear();
        for (std::size_t i = 0; i < epoch.pfns.size(); ++i)
            pages_.push_back({Pfn(epoch.pfns[i]), epoch.data.data() + i * page_size});
    }
    std::size_t encode(const EpochPages&, const ReferenceImage&) override {
        chunks_ = encoder_.encode(pages_);
        return coded_size();
    }
    // The records of an epoch; a connection's header, 32 bytes once, is left out.
    std::size_t framing(const EpochPages& epoch) override {
        wire_.clear();
        writer_.epoch(1, 0, static_cast<std::uint32_t>(epoch.pfns.size()), chunks_);
        return wire_.size() - coded_size();
    }
    // The decoder leaves its pages where commit takes them from; `out` is filled only for the
    // caller's check.
    void decode(const EpochPages&, const ReferenceImage& reference, std::byte* out) override {
        decode(chunks_);
        if (out == nullptr) return;
        for (const codec::PageOut& page : decoder_.pages()) {
            std::memcpy(out, reference.page(static_cast<std::uint32_t>(page.pfn.value())),
                        page_size);
            page.write_to(out);
            out += page_size;
        }
    }
    void commit_sent() override { encoder_.commit(); }
    void commit_received() override { decoder_.commit(); }

  private:
    std::size_t coded_size() const {
        std::size_t size = 0;
        for (const auto& chunk : chunks_) size += chunk.size();
        return size;
    }
    void decode(std::span<const codec::Chunk> chunks) {
        const codec::Status status = decoder_.decode(chunks);
        if (status != codec::Status::ok) throw std::runtime_error(std::string(message(status)));
    }

    codec::EpochEncoder encoder_;
    codec::EpochDecoder decoder_;
    Bytes wire_;
    stream::StreamWriter writer_;
    std::vector<codec::PageIn> pages_;
    std::span<const codec::Chunk> chunks_;
};

}  // namespace

std::unique_ptr<Coder> make_our_coder(std::string name, const codec::EncoderOptions& options,
                                      const trace::TraceFile& trace) {
    return std::make_unique<OurCoder>(std::move(name), options, trace);
}

}  // namespace replication::bench
