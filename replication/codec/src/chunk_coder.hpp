// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "chunk_traits.hpp"
#include "entropy.hpp"
#include "page_writer.hpp"

namespace replication::codec {

// The second half of coding: the streams of a chunk's pages, compressed and with a header. All
// memory is taken at construction.
class ChunkCoder {
  public:
    explicit ChunkCoder(const ChunkTraits& traits);

    // Whether the literals may refer to history, and whether to find out: then they are coded both
    // ways, the shorter is taken, and trial() has the sizes.
    enum class History { without, with, both };
    struct Trial {
        std::size_t without = 0;
        std::size_t with = 0;
    };

    // The chunk of the writer's pages. It lies somewhere within `out`, which has room for bound()
    // of them.
    std::span<const std::uint8_t> code(const PageWriter& pages, History use,
                                       std::uint8_t* out) noexcept;
    const Trial& trial() const noexcept { return trial_; }

    // Largest chunk of `pages` pages.
    static constexpr std::size_t bound(std::size_t pages) {
        return header_bound + pages * page_bound;
    }

  private:
    // Returns the coded size, 0 for none that is shorter, and what it is coded with.
    std::pair<std::size_t, Coding> compress_literals(const PageWriter& pages, History use,
                                                     std::uint8_t* out) noexcept;

    ChunkTraits traits_;
    Compressor mask_compressor_;
    Compressor literal_compressor_;
    Compressor few_literals_compressor_;
    Compressor history_compressor_;
    Compressor few_literals_history_compressor_;
    std::unique_ptr<std::uint8_t[]> masks_;
    std::unique_ptr<std::uint8_t[]> trial_out_;
    Trial trial_;
};

}  // namespace replication::codec
