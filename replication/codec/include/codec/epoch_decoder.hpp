// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <memory>
#include <span>

#include "codec/chunk.hpp"
#include "codec/epoch_options.hpp"
#include "codec/page.hpp"
#include "codec/page_store.hpp"
#include "codec/status.hpp"

namespace replication::codec {

// Backup's side: an epoch's chunks in, pages out. Nothing reaches the page store before commit, and
// a chunk that is not what an encoder wrote gives a Status and leaves the store as it was. Memory:
// the page store's, the largest epoch's pages; for each thread what
// the largest chunk fills of 18 MB.
class EpochDecoder {
  public:
    // Throws std::bad_alloc, std::system_error, std::invalid_argument.
    explicit EpochDecoder(const EpochOptions& options);
    ~EpochDecoder();
    EpochDecoder(const EpochDecoder&) = delete;
    EpochDecoder& operator=(const EpochDecoder&) = delete;

    // Decodes all chunks of an epoch, in order. An epoch still pending is abandoned. May throw
    // std::bad_alloc for an epoch larger than all before (at most guest_pages pages).
    Status decode(std::span<const Chunk> chunks);

    // The pages of the pending epoch, ascending; empty after a Status other than ok, commit or
    // abandon.
    std::span<const PageOut> pages() const noexcept;

    void commit() noexcept;
    void abandon() noexcept;

    const PageStore& store() const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace replication::codec
