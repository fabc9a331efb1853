// SPDX-License-Identifier: GPL-2.0-only
// The sender's and the receiver's page store against a model written from docs/specs/page-coding.md
// alone.
#include "codec/page_store.hpp"

#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "codec/epoch_decoder.hpp"
#include "codec/epoch_encoder.hpp"
#include "pages.hpp"

namespace replication::codec {
namespace {

class Model {
  public:
    explicit Model(std::uint32_t slots) : slots_(slots) {}

    void commit(const std::map<std::uint32_t, test::Page>& epoch) {
        std::vector<std::uint32_t> others;
        for (const auto& [pfn, page] : epoch) {
            if (const auto slot = find(pfn)) {
                slots_[*slot].page = page;
                slots_[*slot].used = true;
            } else {
                others.push_back(pfn);
            }
        }
        for (const std::uint32_t pfn : others) slots_[victim()] = {pfn, epoch.at(pfn), false};
    }
    std::optional<std::uint32_t> find(std::uint32_t pfn) const {
        for (std::uint32_t slot = 0; slot < slots_.size(); ++slot)
            if (slots_[slot].pfn == pfn) return slot;
        return std::nullopt;
    }
    const test::Page& page(std::uint32_t slot) const { return slots_[slot].page; }

  private:
    struct Slot {
        std::optional<std::uint32_t> pfn;
        test::Page page;
        bool used = false;
    };
    std::uint32_t victim() {
        for (std::uint32_t slot = 0; slot < slots_.size(); ++slot)
            if (!slots_[slot].pfn) return slot;
        for (;;) {
            const std::uint32_t slot = hand_;
            hand_ = (hand_ + 1) % static_cast<std::uint32_t>(slots_.size());
            if (!slots_[slot].used) return slot;
            slots_[slot].used = false;
        }
    }
    std::vector<Slot> slots_;
    std::uint32_t hand_ = 0;
};

void expect_equal(const PageStore& store, const Model& model, std::uint32_t pages) {
    for (std::uint32_t pfn = 0; pfn < pages; ++pfn) {
        const std::uint32_t slot = store.find(static_cast<Pfn>(pfn));
        ASSERT_EQ(slot, model.find(pfn).value_or(PageStore::no_slot)) << pfn;
        if (slot == PageStore::no_slot) continue;
        ASSERT_EQ(std::memcmp(store.page(slot), model.page(slot).data(), page_size), 0) << pfn;
    }
}

// What the network does to an epoch; the receiver then says which epoch it is at, and the sender
// follows.
enum class Fate { arrives, lost, damaged, arrives_twice, acknowledgement_lost, count };

TEST(PageStore, BothEndsFollowTheModelOverLostAndRepeatedEpochs) {
    constexpr std::uint32_t pages = 60;
    for (const std::uint32_t slots : {1u, 7u, 40u, 60u}) {
        test::Random random(slots);
        test::Guest guest(pages);
        EncoderOptions options;
        options.guest_pages = pages;
        options.store_slots = slots;
        EpochEncoder sender(options);
        EpochDecoder receiver(options);
        Model model(slots);
        std::vector<test::Page> backup(pages, test::Page(page_size, 0));
        std::uint64_t committed = 0;
        for (std::uint64_t epoch = 1; epoch <= 1000; ++epoch) {
            guest.run(random, 9);
            const auto dirty = guest.dirty();
            const auto encoded = sender.encode(dirty);
            const std::vector<EpochEncoder::Chunk> chunks(encoded.begin(), encoded.end());
            const auto fate = static_cast<Fate>(random() % static_cast<std::uint64_t>(Fate::count));
            if (fate == Fate::damaged) {
                std::vector<std::uint8_t> cut(chunks[0].begin(), chunks[0].end());
                cut.resize(random() % cut.size());
                const EpochEncoder::Chunk view(cut);
                ASSERT_NE(receiver.decode({&view, 1}), Status::ok);
                receiver.commit();  // of nothing
            }
            if (fate == Fate::arrives_twice) {
                ASSERT_EQ(receiver.decode(chunks), Status::ok);
            }
            if (fate != Fate::lost && fate != Fate::damaged) {
                ASSERT_EQ(receiver.decode(chunks), Status::ok);
                for (const PageOut& page : receiver.pages())
                    page.write_to(backup[static_cast<std::uint32_t>(page.pfn)].data());
                receiver.commit();
                committed = epoch;
            }
            if (committed == epoch) {
                std::map<std::uint32_t, test::Page> content;
                for (const PageIn& page : dirty)
                    content[static_cast<std::uint32_t>(page.pfn)].assign(page.data,
                                                                         page.data + page_size);
                model.commit(content);
                sender.commit();
                guest.clean();
                ASSERT_EQ(backup, guest.all());
            } else {
                sender.abandon();
            }
            if (epoch % 10 != 0) continue;
            expect_equal(sender.store(), model, pages);
            expect_equal(receiver.store(), model, pages);
            ASSERT_EQ(sender.store().digest(), receiver.store().digest());
        }
    }
}

}  // namespace
}  // namespace replication::codec
