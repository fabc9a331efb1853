// SPDX-License-Identifier: GPL-2.0-only
#include "guest_recorder.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <numeric>

#include "fake_machine.hpp"
#include "guests.hpp"

namespace replication::trace {
namespace {

using namespace std::chrono_literals;

class GuestRecording : public testing::TestWithParam<std::string> {
  protected:
    void SetUp() override {
        domain = GetParam() == "pv" ? &fake::add_pv_guest(machine, "db") : &add_pvh_guest();
        machine.nodes["/local/domain/0/name"] = "Domain-0";
    }
    void TearDown() override { std::filesystem::remove(path); }

    // Memory in two pieces, as a real one's, but not 4 GiB apart: there is a call for each MiB.
    fake::Domain& add_pvh_guest() {
        auto& guest = machine.add_domain("db", warmvm::GuestKind::pvh);
        machine.add_frames(guest, 0, 64);
        machine.add_frames(guest, 2500, 8);
        return guest;
    }

    GuestPorts ports() { return {machine, machine, machine, machine}; }

    // What the guest does in each epoch; then the epochs that are recorded.
    using Steps = std::vector<std::function<void()>>;
    void record(const Steps& steps) {
        std::size_t epoch = 0;
        const auto wait = [&](std::chrono::microseconds time) {
            if (time == 0us) {
                if (during_image) during_image();
            } else {
                steps.at(epoch++)();
            }
        };
        // So long that it has not passed when the guest is asked, whatever else the machine does.
        constexpr auto interval = 1h;
        GuestRecorder recorder(ports(), find_guest(ports(), "db"), path, wait);
        recorder.first_image();
        for (std::size_t i = 0; i < steps.size(); ++i) recorder.epoch(interval);
        recorder.close();
    }
    void writes(std::uint64_t page, std::uint8_t octet) {
        machine.guest_writes(*domain, page, octet);
    }
    std::string refusal(const std::string& name = "db") {
        try {
            GuestRecorder(ports(), find_guest(ports(), name), path, [](auto) {});
        } catch (const std::runtime_error& error) {
            return error.what();
        }
        return {};
    }

    fake::Machine machine;
    fake::Domain* domain = nullptr;
    std::string path = std::filesystem::path(testing::TempDir()) / "guest_recorder_test.trace";
    std::function<void()> during_image;
};

bool filled(const std::byte* page, std::uint8_t octet) {
    return std::all_of(page, page + page_size, [&](std::byte o) { return o == std::byte{octet}; });
}

TEST_P(GuestRecording, EpochsHoldWhatTheGuestWrote) {
    record({[&] {
                writes(20, 1);
                writes(12, 2);
                writes(20, 3);
            },
            [] {}, [&] { writes(20, 4); }});
    EXPECT_EQ(machine.what_is_not_as_before(), "");
    const TraceFile trace(path);
    ASSERT_EQ(trace.epochs().size(), 3u);
    const auto pfns = [&](std::size_t epoch) {
        const auto list = trace.epochs()[epoch].pfns;
        return std::vector<std::uint32_t>(list.begin(), list.end());
    };
    EXPECT_EQ(pfns(0), (std::vector<std::uint32_t>{12, 20}));
    EXPECT_TRUE(filled(trace.epochs()[0].data, 2));
    EXPECT_TRUE(filled(trace.epochs()[0].data + page_size, 3));
    EXPECT_TRUE(pfns(1).empty());
    EXPECT_EQ(pfns(2), std::vector<std::uint32_t>{20});
    EXPECT_TRUE(filled(trace.epochs()[2].data, 4));
}

TEST_P(GuestRecording, TheImageIsAllOfTheMemoryByTheGuestsOwnNumbers) {
    record({});
    const TraceFile trace(path);
    ASSERT_GT(trace.guest_pages(), domain->frames.rbegin()->first);
    for (std::uint32_t pfn = 0; pfn < trace.guest_pages(); ++pfn) {
        const auto frame = domain->frames.find(pfn);
        if (frame == domain->frames.end())
            ASSERT_TRUE(filled(trace.first_image(pfn), 0)) << pfn;
        else
            ASSERT_EQ(std::memcmp(trace.first_image(pfn), machine.ram[frame->second.value()].data(),
                                  page_size),
                      0)
                << pfn;
    }
}

// Pages that become zero too, which are not written the first time.
TEST_P(GuestRecording, TheImageIsOfItsLastMoment) {
    std::uint8_t octet = 7;
    during_image = [&] {
        writes(20, octet);
        writes(21, 0);
        octet = 8;
    };
    record({[&] { writes(22, 9); }});
    const TraceFile trace(path);
    EXPECT_TRUE(filled(trace.first_image(20), GetParam() == "pv" ? 7 : 8));
    EXPECT_TRUE(filled(trace.first_image(21), 0));
    ASSERT_EQ(trace.epochs()[0].pfns.size(), 1u);
    EXPECT_EQ(trace.epochs()[0].pfns[0], 22u);
}

TEST_P(GuestRecording, PagesThatAreBalloonedOutAreLeftOut) {
    record({[&] {
        writes(20, 1);
        writes(21, 2);
        domain->frames.erase(20);
    }});
    const TraceFile trace(path);
    ASSERT_EQ(trace.epochs()[0].pfns.size(), 1u);
    EXPECT_EQ(trace.epochs()[0].pfns[0], 21u);
    EXPECT_EQ(machine.what_is_not_as_before(), "");
}

TEST_P(GuestRecording, APageThatComesLaterIsFound) {
    const bool pv = GetParam() == "pv";
    const auto hole = pv ? fake::PvLayout::hole : 70;
    record({[&] {
        machine.add_frames(*domain, hole, 1);
        // Xen translates for PVH.
        if (pv)
            warmvm::store_at(machine.ram[domain->frames.at(fake::PvLayout::p2m).value()], hole * 8,
                             domain->frames.at(hole).value());
        writes(hole, 5);
    }});
    const TraceFile trace(path);
    ASSERT_EQ(trace.epochs()[0].pfns.size(), 1u);
    EXPECT_EQ(trace.epochs()[0].pfns[0], hole);
    EXPECT_TRUE(filled(trace.epochs()[0].data, 5));
}

// Whatever call fails, the guest runs as before, and what is on the disk is no trace.
TEST_P(GuestRecording, AfterAFailureAnywhereTheGuestRunsAsBefore) {
    const Steps steps{[&] { writes(20, 1); }, [&] { writes(21, 1); }};
    record(steps);
    const unsigned calls = machine.calls;
    ASSERT_GT(calls, 15u);
    for (unsigned at = 1; at <= calls; ++at) {
        std::filesystem::remove(path);
        machine.calls = 0;
        machine.fail_at = at;
        EXPECT_THROW(record(steps), warmvm::Error) << at;
        machine.fail_at = 0;
        EXPECT_EQ(machine.what_is_not_as_before(), "") << machine.failed_call << ", call " << at;
        EXPECT_THROW(TraceFile{path}, std::runtime_error) << machine.failed_call << ", call " << at;
    }
}

TEST_P(GuestRecording, AfterAWriteThatFailsTheGuestRunsAsBefore) {
    std::filesystem::create_symlink("/dev/full", path);
    EXPECT_THROW(record({[&] { writes(20, 1); }}), std::system_error);
    EXPECT_EQ(machine.what_is_not_as_before(), "");
}

struct Enough {};

TEST_P(GuestRecording, WhatIsRecordedWhenTheWaitIsEndedIsATrace) {
    const auto wait = [&](std::chrono::microseconds time) {
        if (time == 0us) return;
        if (domain->dirty.empty()) {
            writes(20, 1);
            return;
        }
        throw Enough{};
    };
    {
        GuestRecorder recorder(ports(), find_guest(ports(), "db"), path, wait);
        recorder.first_image();
        recorder.epoch(1h);
        writes(21, 1);
        EXPECT_THROW(recorder.epoch(1h), Enough);
        recorder.close();
        EXPECT_EQ(machine.what_is_not_as_before(), "");
    }
    EXPECT_EQ(TraceFile(path).epochs().size(), 1u);
}

TEST_P(GuestRecording, IsEndedWithinTheImageToo) {
    during_image = [] { throw Enough{}; };
    EXPECT_THROW(record({}), Enough);
    EXPECT_EQ(machine.what_is_not_as_before(), "");
}

TEST_P(GuestRecording, AGuestIsNamedByItsDomidToo) {
    EXPECT_EQ(find_guest(ports(), std::to_string(domain->id.value())).name, "db");
}

TEST_P(GuestRecording, RefusesSayingWhyAndTheWayOut) {
    const auto says = [](const std::string& text, const std::string& why, const std::string& mend) {
        EXPECT_NE(text.find(why), std::string::npos) << text;
        EXPECT_NE(text.find(mend), std::string::npos) << text;
    };
    says(refusal("nobody"), "no such guest", "xl list");
    says(refusal("77"), "no such guest", "xl list");
    says(refusal("0"), "dom0", "name a guest");
    says(refusal("Domain-0"), "dom0", "name a guest");

    domain->toolstack_pauses = 1;
    says(refusal(), "paused", "xl unpause db");
    EXPECT_EQ(domain->toolstack_pauses, 1);
    domain->toolstack_pauses = 0;

    domain->shutdown = warmvm::ShutdownReason::crash;
    says(refusal(), "crashed", "start it again");
    domain->shutdown.reset();

    // It is another's, and stays on.
    domain->log_dirty = true;
    says(refusal(), "log-dirty mode already", "wait");
    EXPECT_TRUE(domain->log_dirty);
    EXPECT_TRUE(domain->runs());
    domain->log_dirty = false;

    domain->passed_through_device = true;
    says(refusal(), "device", "xl pci-detach");
    domain->passed_through_device = false;

    if (GetParam() == "pv") {
        domain->pv_width = 4;
        says(refusal(), "32-bit", "64-bit");
    } else {
        domain->kind = warmvm::GuestKind::hvm;
        says(refusal(), "device model", "PVH");
    }
    EXPECT_TRUE(domain->runs());
}

INSTANTIATE_TEST_SUITE_P(Of, GuestRecording, testing::Values("pvh", "pv"),
                         [](const auto& type) { return type.param; });

}  // namespace
}  // namespace replication::trace
