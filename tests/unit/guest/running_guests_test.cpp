// SPDX-License-Identifier: GPL-2.0-only
#include "guest/running_guests.hpp"

#include <gtest/gtest.h>

#include "fake_machine.hpp"
#include "guests.hpp"

namespace warmvm {
namespace {

class RunningGuests : public ::testing::Test {
  protected:
    RunningGuests() {
        fake::add_pvh_guest(machine_, "web");
        fake::add_pv_guest(machine_, "mail");
    }
    std::string found(const std::string& wanted) {
        const auto guest = find_guest(machine_, machine_, wanted);
        return guest ? guest->name : "none";
    }
    fake::Machine machine_;
};

TEST_F(RunningGuests, AreFoundByNameAndByDomid) {
    EXPECT_EQ(found("mail"), "mail");
    EXPECT_EQ(found("1"), "web");
    for (const auto* wanted : {"", "0", "3", "-1", "1x", "4294967297", "mai", "Domain-0"}) {
        EXPECT_EQ(found(wanted), "none") << wanted;
    }
}

TEST_F(RunningGuests, ADyingOneIsFoundAndNotListed) {
    machine_.find("web")->dying = true;
    EXPECT_EQ(found("web"), "web");
    const auto guests = running_guests(machine_, machine_);
    ASSERT_EQ(guests.size(), 1u);
    EXPECT_EQ(guests[0].name, "mail");
    EXPECT_EQ(guests[0].info.kind, GuestKind::pv);
}

TEST_F(RunningGuests, OneWithoutANameIsCalledByItsDomid) {
    machine_.nodes.erase("/local/domain/1/name");
    EXPECT_EQ(running_guests(machine_, machine_).at(0).name, "dom1");
}

TEST_F(RunningGuests, OneThatIsNotLibxlsIsKnownAsSuch) {
    machine_.nodes.erase("/libxl/1/type");
    machine_.nodes["/libxl/2/type"] = "";
    for (const auto& guest : running_guests(machine_, machine_)) {
        EXPECT_FALSE(guest.known_to_libxl);
    }
}

}  // namespace
}  // namespace warmvm
