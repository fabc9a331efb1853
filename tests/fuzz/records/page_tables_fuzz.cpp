// SPDX-License-Identifier: GPL-2.0-only
// A guest of eight frames whose page tables are the input: words of 16 bits, the frame a present
// entry points to and the slot it stands in.
#include "harness.hpp"
#include "preserved/rescued_file.hpp"

namespace {

constexpr std::uint64_t frames = 8;
constexpr std::uint64_t first_mfn = 0x1000;

}  // namespace

FUZZ_BYTES(bytes) {
    warmvm::ByteReader in(bytes, "page tables");
    std::vector<warmvm::Extent> extents;
    for (std::uint64_t i = 0; i < frames; ++i) {
        extents.push_back(
            {i, warmvm::Mfn(first_mfn + (i ^ 1)), 1, in.left() ? in.get<std::uint8_t>() % 5u : 0u});
    }
    const warmvm::FrameMap map(extents);
    std::array<warmvm::Page, frames> memory{};
    while (in.left() >= 4) {
        const auto table = in.get<std::uint8_t>() % frames;
        const auto flags = in.get<std::uint8_t>();
        const auto slot = in.get<std::uint16_t>();
        const auto target = first_mfn + (slot >> 9) % (frames + 1);
        warmvm::store_at(memory.at(table), slot % 512u * 8u, target << 12 | flags);
    }
    const auto read = [&](warmvm::Mfn mfn) { return memory.at(mfn.value() - first_mfn); };
    const auto types = warmvm::find_page_tables(map, read);
    for (const auto& [pfn, type] : types) {
        must(type.level >= 1 && type.level <= 4);
        auto page = read(*map.mfn(pfn));
        warmvm::normalise_page_table(page, type.level, map);
        for (std::size_t slot = 0; slot < 512; ++slot) {
            const auto pte = warmvm::load_at<std::uint64_t>(page, slot * 8);
            if (pte & 1) must(pte >> 12 < frames);
        }
    }
}
