// SPDX-License-Identifier: GPL-2.0-only
#include "roothammer/rescue.hpp"

#include <cstdlib>

#include "base/file.hpp"
#include "host/preserved_guests.hpp"
#include "scenario.hpp"

namespace roothammer {
namespace {

using warmvm::ByteReader;
using warmvm::ByteView;

constexpr std::size_t big = std::size_t{64} << 20;

// A save file as stock tools read it: every page by its number, with its type.
struct StockView {
    std::map<std::uint64_t, std::pair<std::uint64_t, fake::Page>> pages;  // pfn -> type, content
    std::vector<std::uint32_t> types;                                     // of records, in order
};

StockView read_as_stock(ByteView file, std::size_t prefix) {
    StockView view;
    ByteReader in(file.subspan(prefix), "save file");
    (void)in.take(40);  // image and domain header
    for (;;) {
        const auto type = in.get<std::uint32_t>();
        const auto length = in.get<std::uint32_t>();
        ByteReader body(in.take(length), "record");
        (void)in.take((8 - length % 8) % 8);
        view.types.push_back(type);
        if (type == 0) return view;
        if (type != 1) continue;
        const auto count = body.get<std::uint32_t>();
        (void)body.get<std::uint32_t>();
        std::vector<std::uint64_t> pfns;
        for (std::uint32_t i = 0; i < count; ++i) pfns.push_back(body.get<std::uint64_t>());
        for (const auto pfn : pfns) {
            view.pages[pfn & 0x000fffffffffffff] = {pfn >> 60, body.get<fake::Page>()};
        }
        EXPECT_EQ(body.left(), 0u);
    }
}

class Rescue : public Scenario {
  protected:
    std::filesystem::path file_ = root_ / "rescued";

    StockView rescued(const std::string& name) {
        std::size_t prefix = 0;
        for (const auto& guest : preserved_guests(host())) {
            if (guest.name == name) prefix = guest.file->prefix.size();
        }
        rescue(host(), name, file_);
        const auto bytes = warmvm::read_file(file_, big);
        // `make check-stream` runs Xen's own verifier over what these tests write.
        if (const char* folder = std::getenv("WARMVM_RESCUED")) {
            std::filesystem::copy_file(file_, std::filesystem::path(folder) / (name + ".save"),
                                       std::filesystem::copy_options::overwrite_existing);
        }
        return read_as_stock(bytes, prefix);
    }
};

TEST_F(Rescue, WritesAPvhGuestWithEveryPageAsItIs) {
    const auto before = memory();
    reboot_warm();
    const auto view = rescued("web");
    ASSERT_EQ(view.pages.size(), before.at("web").size());
    for (const auto& [gfn, frame] : before.at("web")) {
        EXPECT_EQ(view.pages.at(gfn).first, 0u);
        EXPECT_EQ(view.pages.at(gfn).second, frame.second) << gfn;
    }
    EXPECT_EQ(std::ranges::count(view.types, 0x80574d52u), 0);
    EXPECT_EQ(machine_->preserved.size(), 3u);
}

TEST_F(Rescue, WritesAPvGuestWithPortablePageTables) {
    using Layout = fake::PvLayout;
    const auto before = memory();
    reboot_warm();
    const auto view = rescued("mail");
    ASSERT_EQ(view.pages.size(), Layout::frames - 1);
    const std::map<std::uint64_t, std::uint64_t> tables{{Layout::l4, 0xc},
                                                        {Layout::l3, 3},
                                                        {Layout::l2, 2},
                                                        {Layout::l1, 1},
                                                        {Layout::user_l4, 0xc}};
    for (const auto& [pfn, page] : view.pages) {
        const auto table = tables.find(pfn);
        EXPECT_EQ(page.first, table == tables.end() ? 0 : table->second) << pfn;
        if (table == tables.end() && pfn != Layout::start_info) {
            EXPECT_EQ(page.second, before.at("mail").at(pfn).second) << pfn;
        }
    }
    const auto entry = [&](std::uint64_t pfn, std::uint64_t slot) {
        return warmvm::load_at<std::uint64_t>(view.pages.at(pfn).second, slot * 8);
    };
    EXPECT_EQ(entry(Layout::l1, 7), Layout::first_data << 12 | 0x67);
    EXPECT_EQ(entry(Layout::user_l4, 0), Layout::l3 << 12 | 0x67);
    EXPECT_EQ(entry(Layout::l4, 256), 0u);
}

// As a host of an earlier version could have carried them over.
TEST_F(Rescue, TwoOfOneNameAreToldApartByTheirSets) {
    fake::add_pvh_guest(*machine_, "web");
    reboot_warm();
    std::vector<warmvm::SetId> webs;
    for (const auto& guest : preserved_guests(host())) {
        if (guest.name == "web") webs.push_back(guest.set.id);
    }
    ASSERT_EQ(webs.size(), 2u);
    try {
        discard(host(), "web");
        FAIL() << "one of the two was discarded";
    } catch (const warmvm::Error& error) {
        for (const auto id : webs) {
            EXPECT_NE(std::string(error.what()).find(set_name(id)), std::string::npos)
                << error.what();
        }
    }
    discard(host(), set_name(webs[1]));
    rescue(host(), "web", file_);
    EXPECT_TRUE(machine_->preserved.contains(webs[0].value()));
    EXPECT_FALSE(machine_->preserved.contains(webs[1].value()));
}

TEST_F(Rescue, AFailedResumeDoesNotSpoilIt) {
    reboot_warm();
    machine_->killed_tools = {};
    const auto undisturbed = rescued("mail");
    std::filesystem::remove(file_);
    ::setenv("ROOTHAMMER_FAULT", "restore-complete", 1);
    warmvm::reset_fault_points();
    const auto outcomes = resume(host(), {{"mail"}, false});
    ::unsetenv("ROOTHAMMER_FAULT");
    ASSERT_EQ(outcomes.size(), 1u);
    EXPECT_NE(outcomes[0].trouble.value_or("").find("injected fault at restore-complete"),
              std::string::npos);

    const auto after = rescued("mail");
    for (const auto& [pfn, page] : undisturbed.pages) {
        if (pfn == fake::PvLayout::start_info) {
            // Rings are pfns again; what else a restore sets it sets again.
            const auto word = [&](const fake::Page& of, std::size_t at) {
                return warmvm::load_at<std::uint64_t>(of, at);
            };
            constexpr std::size_t store_at = 56;
            EXPECT_EQ(word(after.pages.at(pfn).second, store_at), word(page.second, store_at));
            continue;
        }
        EXPECT_EQ(after.pages.at(pfn).second, page.second) << pfn;
    }
    for (const auto& outcome : resume(host(), {})) EXPECT_EQ(outcome.trouble, std::nullopt);
}

TEST_F(Rescue, RefusesPageTablesThatLeaveTheGuestAndLeavesNoFile) {
    auto* mail = machine_->find("mail");
    const auto l1 = mail->frames.at(fake::PvLayout::l1);
    warmvm::store_at(machine_->ram[l1.value()], 8, std::uint64_t{0x123456} << 12 | 1);
    reboot_warm();
    EXPECT_THROW(rescue(host(), "mail", file_), warmvm::Error);
    EXPECT_FALSE(std::filesystem::exists(file_));
}

TEST_F(Rescue, RefusesAPageThatIsATableOfTwoLevels) {
    auto* mail = machine_->find("mail");
    const auto l3 = mail->frames.at(fake::PvLayout::l3);
    const auto l4 = mail->frames.at(fake::PvLayout::l4);
    warmvm::store_at(machine_->ram[l3.value()], 16, l4.value() << 12 | 1);
    reboot_warm();
    EXPECT_THROW(rescue(host(), "mail", file_), warmvm::Error);
}

TEST_F(Rescue, TakesAGuestFromAResumeThatDied) {
    const auto before = memory();
    reboot_warm();
    kill_resume("web", "commit");
    ASSERT_EQ(machine_->domains.size(), 1u);
    EXPECT_EQ(rescued("web").pages.size(), before.at("web").size());
    EXPECT_TRUE(machine_->domains.empty());
    discard(host(), "web");
    EXPECT_EQ(machine_->preserved.size(), 2u);
}

TEST_F(Rescue, AFaultAtAnyCallLeavesTheGuestPreservedAndNoFile) {
    reboot_warm();
    for (const std::string name : {"web", "mail"}) {
        for (unsigned call = 1;; ++call) {
            machine_->failed_call.clear();
            machine_->fail_at = machine_->calls + call;
            bool threw = false;
            try {
                rescue(host(), name, file_);
            } catch (const std::exception&) {
                threw = true;
            }
            machine_->fail_at = 0;
            if (machine_->failed_call.empty()) break;
            const auto what = name + ", " + machine_->failed_call;
            // It does not matter that another guest's state cannot be read.
            EXPECT_TRUE(threw || machine_->failed_call == "blob") << what;
            EXPECT_EQ(std::filesystem::remove(file_), !threw) << what;
            EXPECT_EQ(machine_->preserved.size(), 3u);
        }
        EXPECT_TRUE(std::filesystem::remove(file_)) << name;
    }
    for (const auto& outcome : resume(host(), {})) EXPECT_EQ(outcome.trouble, std::nullopt);
}

TEST_F(Rescue, DoesNotOverwriteAFile) {
    reboot_warm();
    warmvm::replace_file(file_, warmvm::as_byte_view("precious"));
    EXPECT_THROW(rescue(host(), "web", file_), warmvm::Error);
    EXPECT_EQ(warmvm::read_text_file(file_), "precious");
}

TEST_F(Rescue, DiscardScrubs) {
    const auto before = memory();
    reboot_warm();
    discard(host(), "web");
    for (const auto& [gfn, frame] : before.at("web")) {
        EXPECT_EQ(machine_->ram[frame.first.value()], fake::Page{}) << gfn;
    }
    EXPECT_EQ(machine_->preserved.size(), 2u);
    EXPECT_THROW(discard(host(), "web"), warmvm::Error);
}

TEST_F(Rescue, DiscardsUnreadableSetsOnlyAllAtOnce) {
    reboot_warm();
    machine_->damage(warmvm::SetId(1), warmvm::Reason::checksum);
    machine_->damage(warmvm::SetId(2), warmvm::Reason::overlap);
    EXPECT_THROW(discard(host(), "set 1"), warmvm::Error);
    EXPECT_EQ(machine_->preserved.size(), 3u);
    discard(host(), "unreadable");
    EXPECT_EQ(machine_->preserved.size(), 1u);
    EXPECT_THROW(discard(host(), "unreadable"), warmvm::Error);
}

TEST_F(Rescue, AnUnreadableSetIsNeitherResumedNorRescued) {
    reboot_warm();
    machine_->damage(warmvm::SetId(1), warmvm::Reason::checksum);
    try {
        rescue(host(), "set 1", file_);
        ADD_FAILURE() << "rescued";
    } catch (const warmvm::Error& error) {
        EXPECT_NE(std::string(error.what()).find("roothammer discard unreadable"),
                  std::string::npos)
            << error.what();
    }
    const auto outcomes = resume(host(), {{"set 1"}, false});
    EXPECT_EQ(outcomes.at(0).trouble, "its record's checksum differs");
    EXPECT_TRUE(machine_->domains.empty());
    EXPECT_EQ(machine_->preserved.size(), 3u);
}

}  // namespace
}  // namespace roothammer
