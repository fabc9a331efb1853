// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "codec/page.hpp"

namespace replication::trace {

// A dirty-page trace (docs/specs/trace.md), mapped read-only. Throws Error if it cannot be read, of
// stream_category if it is not a trace.
class TraceFile {
  public:
    explicit TraceFile(const std::string& path);

    struct Epoch {
        std::span<const std::uint32_t> pfns;  // ascending
        const std::byte* data;                // pfns.size() pages
    };

    std::uint32_t guest_pages() const { return guest_pages_; }
    // Page `pfn` of the image the trace starts from.
    const std::byte* first_image(std::uint32_t pfn) const {
        return first_image_ + std::size_t{pfn} * page_size;
    }
    const std::vector<Epoch>& epochs() const { return epochs_; }

    struct Run {
        std::uint32_t first;
        std::uint32_t pages;
    };
    // Pages of the first image that the file holds, ascending. The others are holes of a sparse
    // file and zero: most of the numbers of a PVH guest, which reach to 4 GiB.
    const std::vector<Run>& first_image_runs() const { return first_image_runs_; }

  private:
    struct Unmap {
        std::size_t bytes;
        void operator()(const std::byte* at) const;
    };

    std::unique_ptr<const std::byte[], Unmap> mapping_;
    std::uint32_t guest_pages_ = 0;
    const std::byte* first_image_ = nullptr;
    std::vector<Run> first_image_runs_;
    std::vector<Epoch> epochs_;
};

// Writes a trace whose number of pages is not known before its end: the epochs wait in a nameless
// file in the same folder. What is at the path stays until close(). Throws Error when a write
// fails.
class TraceWriter {
  public:
    explicit TraceWriter(const std::string& path);

    // Whole pages, from `first` on, of the image the trace starts from; given again, the last
    // content counts. Pages that are never given start as zeros.
    void first_image(ByteView pages, std::uint32_t first = 0);
    // The trace has so many pages, or more.
    void guest_pages(std::uint32_t pages);
    // `pfns` strictly ascending; `pages` their contents, one after the other.
    void epoch(std::span<const std::uint32_t> pfns, ByteView pages);
    // Completes the file and puts it in its place.
    void close();

  private:
    struct Close {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    using File = std::unique_ptr<std::FILE, Close>;
    File stream_of(warmvm::Fd fd, const char* mode) const;
    void write(const File& file, const void* data, std::size_t size);

    std::string path_;
    warmvm::OutputFile output_;
    File file_;
    File later_;
    std::uint64_t guest_pages_ = 0;
    std::uint64_t epochs_ = 0;
};

}  // namespace replication::trace
