// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "codec/chunk.hpp"
#include "codec/epoch_options.hpp"
#include "codec/level.hpp"
#include "codec/page.hpp"
#include "codec/page_store.hpp"

namespace replication::codec {

struct EncoderOptions : EpochOptions {
    Level level = Level::balanced;
    bool similarity = true;  // no effect at Level::fast, which never looks for similar pages
};

// How an epoch's pages were coded.
struct EpochCounts {
    std::uint64_t zero = 0;
    std::uint64_t same = 0;
    std::uint64_t repeat = 0;     // difference of each block against the one before
    std::uint64_t self = 0;       // difference against the page's own last version
    std::uint64_t from_zero = 0;  // difference against zeros; raw pages are counted here too
    std::uint64_t candidate = 0;  // difference against, or copy of, a similar page
};

// Primary's side: dirty pages of one epoch in, chunks of docs/specs/page-coding.md out. The page
// store changes only in commit, so an epoch that the backup never acknowledged leaves no trace.
// Memory: the page store's and, with similarity, 64 bytes a slot for the index; for the largest
// epoch so far at most 7 KB a page, of which only what its differences fill is ever touched; for
// each thread likewise what the largest chunk fills of 27 MB.
class EpochEncoder {
  public:
    // Throws std::bad_alloc, std::system_error, std::invalid_argument.
    explicit EpochEncoder(const EncoderOptions& options);
    ~EpochEncoder();
    EpochEncoder(const EpochEncoder&) = delete;
    EpochEncoder& operator=(const EpochEncoder&) = delete;

    // Codes `pages` (strictly ascending pfns, each below guest_pages; throws std::invalid_argument
    // otherwise) against the last committed epoch. The chunks live until the next call; what the
    // pages' `data` point at must stay as it is until commit or abandon. An epoch still pending is
    // abandoned. The chunks do not depend on threads or isa.
    std::span<const Chunk> encode(std::span<const PageIn> pages);

    // The backup has the epoch: its pages become the reference.
    void commit() noexcept;
    // The backup does not have it: the next epoch is coded against what was committed before.
    void abandon() noexcept;

    const PageStore& store() const;
    // How the pages of the last encode were coded.
    EpochCounts counts() const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace replication::codec
