// SPDX-License-Identifier: GPL-2.0-only
// Sender and receiver over a link that loses, damages and repeats epochs and loses
// acknowledgements, against a model of the page store.
#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "codec/epoch_encoder.hpp"
#include "pages.hpp"
#include "store_model.hpp"
#include "stream/epoch_receiver.hpp"
#include "stream/stream_writer.hpp"

namespace replication::stream {
namespace {

using codec::Level;
using warmvm::Error;
using warmvm::StreamErrc;
namespace test = codec::test;

class Link {
  public:
    Link(const Shape& shape, Level level)
        : shape_(shape),
          encoder_(options(shape, level)),
          receiver_(shape, 1),
          model_(shape.store_slots),
          guest_(shape.guest_pages),
          backup_(shape.guest_pages, test::Page(page_size)) {
        connect();
    }

    // The guest runs, then its dirty pages are copied out and coded. It runs on meanwhile.
    void begin_epoch(test::Random& random) {
        guest_.run(random, 9);
        epoch_.clear();
        for (const codec::PageIn& page : guest_.dirty())
            epoch_[static_cast<std::uint32_t>(page.pfn.value())].assign(page.data,
                                                                        page.data + page_size);
        guest_.clean();
        image_ = guest_.all();
        std::vector<codec::PageIn> pages;
        for (const auto& [pfn, page] : epoch_) pages.push_back({Pfn{pfn}, page.data()});
        chunks_.clear();
        for (const auto& chunk : encoder_.encode(pages))
            chunks_.emplace_back(chunk.begin(), chunk.end());
        ++number_;
        guest_.run(random, 3);
    }

    // What the wire carries for the epoch under way; each time it is sent it is framed anew.
    Bytes framed() {
        wire_.clear();
        const std::vector<codec::Chunk> views(chunks_.begin(), chunks_.end());
        writer_->epoch(number_, sender_committed_, static_cast<std::uint32_t>(epoch_.size()),
                       views);
        return wire_;
    }

    // Gives bytes to the receiver, which applies what is whole.
    std::error_code deliver(const Bytes& bytes) {
        try {
            for (std::size_t at = 0; at < bytes.size();) {
                at += receiver_.feed({bytes.data() + at, bytes.size() - at});
                if (!receiver_.ready()) continue;
                for (const auto& page : receiver_.pages())
                    page.write_to(backup_[page.pfn.value()].data());
                receiver_.commit();
                model_.commit(epoch_);
            }
        } catch (const Error& error) {
            return error.code();
        }
        return {};
    }

    // A new connection, of whose receiver the sender has not heard yet.
    void reconnect_in_ignorance() {
        receiver_.restart();
        connect();
    }
    // A new connection, on which the receiver first says which epoch it has.
    void reconnect() {
        reconnect_in_ignorance();
        acknowledged();
    }

    // The sender hears which epoch the receiver has.
    void acknowledged() {
        if (receiver_.committed() == number_) {
            encoder_.commit();
            sender_committed_ = number_;
        } else {
            encoder_.abandon();
            for (const auto& [pfn, page] : epoch_) guest_.mark(pfn);
        }
    }

    // The receiver gave up the connection, and nothing of what came last was applied.
    void refused(std::error_code error, std::error_code expected) {
        ASSERT_EQ(error, expected);
        ASSERT_FALSE(receiver_.ready());
        ASSERT_TRUE(receiver_.pages().empty());
        ASSERT_EQ(deliver(Bytes(1)), expected) << "what comes after is refused as well";
    }

    // The model changes with the receiver, so that it is compared before the sender has heard.
    void expect_receiver_follows() {
        ASSERT_TRUE(model_.equals(receiver_.store()));
        if (receiver_.committed() != number_) return;
        ASSERT_EQ(backup_, image_);
    }
    void expect_both_follow() {
        expect_receiver_follows();
        ASSERT_TRUE(model_.equals(encoder_.store()));
        ASSERT_EQ(encoder_.store().digest(), receiver_.store().digest());
    }

    void end_of_connection(std::error_code expected) {
        try {
            receiver_.end();
            ASSERT_FALSE(expected);
        } catch (const Error& error) {
            ASSERT_EQ(error.code(), expected);
        }
    }

  private:
    static codec::EncoderOptions options(const Shape& shape, Level level) {
        codec::EncoderOptions options;
        options.guest_pages = shape.guest_pages;
        options.store_slots = shape.store_slots;
        options.level = level;
        return options;
    }

    void connect() {
        wire_.clear();
        writer_.emplace(shape_, wire_);
        ASSERT_FALSE(deliver(wire_));
    }

    Shape shape_;
    codec::EpochEncoder encoder_;
    EpochReceiver receiver_;
    test::StoreModel model_;
    test::Guest guest_;
    std::vector<test::Page> backup_;
    std::vector<test::Page> image_;  // of the guest, as of the epoch under way
    Bytes wire_;
    std::optional<StreamWriter> writer_;
    std::map<std::uint32_t, test::Page> epoch_;
    std::vector<Bytes> chunks_;
    std::uint64_t number_ = 0;
    std::uint64_t sender_committed_ = 0;
};

enum class Fate {
    arrives,
    lost,                    // the connection breaks somewhere in the epoch
    damaged,                 // a bit flips
    repeated,                // arrives twice on one connection
    acknowledgement_lost,    // arrives; the sender learns of it on the next connection only
    sent_again_unknowingly,  // the same, and before it learns of it the sender sends it once more
    count
};

class LossyLink : public testing::TestWithParam<Level> {};
INSTANTIATE_TEST_SUITE_P(Levels, LossyLink, testing::ValuesIn(codec::all_levels),
                         [](const auto& level) { return std::string(name(level.param)); });

TEST_P(LossyLink, BothEndsFollowTheModelWhateverBecomesOfAnEpoch) {
    constexpr std::uint32_t pages = 60;
    for (const std::uint32_t slots : {1u, 7u, 40u, 60u}) {
        test::Random random(slots);
        Link link({pages, slots}, GetParam());
        std::map<Fate, int> seen;
        for (int epoch = 0; epoch < 300; ++epoch) {
            link.begin_epoch(random);
            const auto fate = static_cast<Fate>(random() % static_cast<std::uint64_t>(Fate::count));
            ++seen[fate];
            Bytes bytes = link.framed();
            switch (fate) {
                case Fate::arrives:
                    ASSERT_FALSE(link.deliver(bytes));
                    link.expect_receiver_follows();
                    link.acknowledged();
                    break;
                case Fate::lost:
                    bytes.resize(1 + random() % (bytes.size() - 1));
                    ASSERT_FALSE(link.deliver(bytes));
                    link.end_of_connection(StreamErrc::truncated);
                    link.expect_receiver_follows();
                    link.reconnect();
                    break;
                case Fate::damaged:
                    // In the last record: until it has been checked nothing may be applied.
                    bytes[bytes.size() - 1 - random() % 8] ^=
                        static_cast<std::byte>(1u << random() % 8);
                    link.refused(link.deliver(bytes), StreamErrc::bad_checksum);
                    link.expect_receiver_follows();
                    link.reconnect();
                    break;
                case Fate::repeated:
                    ASSERT_FALSE(link.deliver(bytes));
                    link.refused(link.deliver(link.framed()), StreamErrc::wrong_base);
                    link.expect_receiver_follows();
                    link.reconnect();
                    break;
                case Fate::acknowledgement_lost:
                    ASSERT_FALSE(link.deliver(bytes));
                    link.end_of_connection({});
                    link.expect_receiver_follows();
                    link.reconnect();
                    break;
                case Fate::sent_again_unknowingly:
                    ASSERT_FALSE(link.deliver(bytes));
                    link.expect_receiver_follows();
                    link.reconnect_in_ignorance();
                    link.refused(link.deliver(link.framed()), StreamErrc::wrong_base);
                    link.expect_receiver_follows();
                    link.reconnect();
                    break;
                case Fate::count:
                    FAIL();
            }
            link.expect_both_follow();
            if (HasFatalFailure()) return;
        }
        ASSERT_EQ(seen.size(), static_cast<std::size_t>(Fate::count));
    }
}

}  // namespace
}  // namespace replication::stream
