// SPDX-License-Identifier: GPL-2.0-only
// Each thing that must be refused is refused by name, says how to mend it, and changes nothing.
#include "preflight/preflight.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "boot_files.hpp"
#include "preflight/next_boot.hpp"
#include "scenario.hpp"

namespace roothammer {
namespace {

class PreflightTest : public Scenario {
  protected:
    PreflightTest() {
        images_.xen = write("xen.gz", fake::gzip(fake::xen_image()));
        images_.kernel =
            write("vmlinuz", fake::kernel_image(fake::gzip(fake::kernel_elf(3u << 20))));
        images_.initrd = write("initrd", warmvm::Bytes(5000, std::byte{1}));
        images_.xen_commandline = "dom0_mem=512M,max:512M no-real-mode";
        images_.kernel_commandline = "root=/dev/sda1";
    }

    std::string write(const std::string& name, const warmvm::Bytes& bytes) {
        const auto path = root_ / name;
        warmvm::replace_file(path, bytes);
        return path.string();
    }

    Report check(OnGuestFailure policy = OnGuestFailure::abort) {
        auto report = preflight(host(), images_, policy);
        EXPECT_EQ(machine_->what_is_not_as_before(), "");
        EXPECT_FALSE(machine_->loaded);
        for (const auto& finding : report.findings) {
            if (finding.verdict == Verdict::refused) {
                EXPECT_NE(finding.mend, "") << finding.text;
            }
        }
        return report;
    }

    // The one refusal there must be; its subject and a part of its text.
    void expect_refused(const std::string& subject, const std::string& text, bool of_guest) {
        const auto report = check();
        std::vector<Finding> refused;
        std::ranges::copy_if(report.findings, std::back_inserter(refused), [](const auto& finding) {
            return finding.verdict == Verdict::refused;
        });
        ASSERT_EQ(refused.size(), 1u) << to_text(report);
        EXPECT_EQ(refused[0].subject, subject);
        EXPECT_NE(refused[0].text.find(text), std::string::npos) << refused[0].text;
        EXPECT_EQ(report.host_refused(), !of_guest);
    }

    fake::Domain& web() { return *machine_->find("web"); }
    std::string& node(const std::string& name) {
        return machine_->nodes["/local/domain/1/" + name];
    }

    Images images_;
};

TEST_F(PreflightTest, AFitHostIsAccepted) {
    const auto report = check();
    EXPECT_FALSE(report.refused()) << to_text(report);
    EXPECT_EQ(report.guests.size(), 3u);
    EXPECT_NE(to_text(report).find("ok: guest web: pvh, "), std::string::npos) << to_text(report);
    EXPECT_NE(to_text(report).find("ok: guest mail: pv, "), std::string::npos) << to_text(report);
}

TEST_F(PreflightTest, AReasonThatThisProgramDoesNotKnow) {
    constexpr auto of_a_newer_xen = static_cast<warmvm::Reason>(1000);
    web().refusal = {of_a_newer_xen, 0};
    expect_refused("guest web", "(1000)", true);
}

TEST_F(PreflightTest, ANameThatNoCommandCouldTake) {
    node("name") = "two words";
    expect_refused("guest two words", "its name has spaces", true);
}

TEST_F(PreflightTest, NoFeature) {
    machine_->has_feature = false;
    expect_refused("hypervisor", "cannot preserve memory", false);
}

TEST_F(PreflightTest, NoRange) {
    machine_->host_info.range = false;
    expect_refused("range", "no range of memory is reserved", false);
}

TEST_F(PreflightTest, AlreadyArmed) {
    machine_->armed_token = 5;
    const auto report = preflight(host(), images_, OnGuestFailure::abort);
    EXPECT_TRUE(report.host_refused());
}

TEST_F(PreflightTest, AnImageThatIsNotXen) {
    images_.xen = images_.kernel;
    expect_refused("xen image", "not Xen", false);
}

TEST_F(PreflightTest, AnImageCutShort) {
    auto image = fake::xen_image();
    image.resize(image.size() - 100);
    images_.xen = write("xen", image);
    expect_refused("xen image", "beyond the end of the file", false);
}

TEST_F(PreflightTest, AnInitrdThatKexecWouldNotFind) {
    images_.initrd = write("initrd of mine", warmvm::Bytes(5000, std::byte{1}));
    expect_refused("dom0 initrd", "a space in the name", false);
}

TEST_F(PreflightTest, AMissingInitrd) {
    images_.initrd = "/no/such/file";
    expect_refused("dom0 initrd", "/no/such/file", false);
}

TEST_F(PreflightTest, AnImageTooBigForTheWindow) {
    images_.xen = write("xen", fake::xen_image(4096, 17u << 20));
    expect_refused("xen image", "window is 16 MiB", false);
}

TEST_F(PreflightTest, AnImageThatCannotLieInTheWindow) {
    machine_->host_info.window_start = 0;  // below what the image's header allows
    expect_refused("xen image", "cannot be loaded where the running Xen lies", false);
}

TEST_F(PreflightTest, AMissingKernel) {
    images_.kernel = "/no/such/kernel";
    expect_refused("dom0 kernel", "/no/such/kernel", false);
}

TEST_F(PreflightTest, ADamagedKernel) {
    auto packed = fake::gzip(fake::kernel_elf());
    packed[packed.size() / 2] ^= std::byte{1};
    images_.kernel = write("vmlinuz", fake::kernel_image(packed));
    expect_refused("dom0 kernel", "gzip", false);
}

TEST_F(PreflightTest, AKernelCountsAsItIsUnpacked) {
    const auto room = [this](const std::string& what) {
        const auto report = check();
        return std::ranges::find(report.room, what, &RoomItem::what)->bytes;
    };
    const auto kernel = fake::kernel_elf(3u << 20);
    EXPECT_EQ(check().unpacked_kernel, kernel);
    EXPECT_EQ(room("dom0 kernel"), (kernel.size() + 4095) & ~4095u);
    EXPECT_EQ(room("dom0 kernel, unpacked by Xen"), 0u);
    // Of a kind that is left to Xen: room for both.
    images_.kernel =
        write("vmlinuz",
              fake::kernel_image(fake::with_length(warmvm::Bytes(2044, std::byte{2}), 1u << 20)));
    EXPECT_TRUE(check().unpacked_kernel.empty());
    EXPECT_EQ(room("dom0 kernel"), 4096u);
    EXPECT_EQ(room("dom0 kernel, unpacked by Xen"), (1u << 20) + 4096u + 4096u);
}

TEST_F(PreflightTest, ARangeTooSmallForTheNextBoot) {
    const auto needed = check().room_needed;
    machine_->host_info.range_size = needed;
    EXPECT_FALSE(check().refused());
    machine_->host_info.range_size = needed - 1;
    expect_refused("range", "the next boot needs", false);
    // What it says to write is what Xen takes: <size>@<start>, 2 MiB aligned.
    const auto report = check();
    const auto refused = std::ranges::find(report.findings, Verdict::refused, &Finding::verdict);
    const auto mib = (needed + (2u << 20) - 1) >> 21 << 1;
    EXPECT_NE(refused->mend.find("liveupdate=" + std::to_string(mib) + "M@0x20000000,"),
              std::string::npos)
        << refused->mend;
}

TEST_F(PreflightTest, RoomIsItemised) {
    const auto report = check();
    std::uint64_t sum = 0;
    for (const auto& item : report.room) sum += item.bytes;
    EXPECT_EQ(sum, report.room_needed);
    const auto item =
        std::ranges::find(report.room, "Xen's frame table and page tables", &RoomItem::what);
    ASSERT_NE(item, report.room.end());
    EXPECT_EQ(item->bytes, machine_->host_info.boot_need);
}

TEST_F(PreflightTest, AnInitrdCountsAsKexecUnpacksIt) {
    images_.initrd = write("initrd.gz", fake::gzip(warmvm::Bytes(10u << 20)));
    const auto report = check();
    const auto item = std::ranges::find(report.room, "dom0 initrd", &RoomItem::what);
    EXPECT_EQ(item->bytes, 10u << 20);
}

TEST_F(PreflightTest, TooLittleMemoryForTheNewDom0) {
    machine_->survey_result.frames = (511u << 20) / warmvm::page_size;
    expect_refused("dom0 memory", "takes 512 MiB of 511 MiB", false);
}

TEST_F(PreflightTest, NoSizeForTheNewDom0) {
    images_.xen_commandline = "dom0_mem=max:2G no-real-mode";
    expect_refused("dom0 memory", "no dom0_mem=", false);
}

// 4 GiB of addresses take 2048 + 4 pages of the IOMMU's tables, which is 8 MiB and a bit.
TEST_F(PreflightTest, AnIommuTakesMemoryByTheSizeOfTheHost) {
    machine_->machine_hardware.iommu = true;
    machine_->survey_result.frames = (512u << 8) + 2048 + 4;
    EXPECT_FALSE(check().refused()) << to_text(check());
    machine_->survey_result.frames -= 1;
    expect_refused("dom0 memory", "takes 521 MiB of 521 MiB", false);
    images_.xen_commandline += " no-iommu";
    EXPECT_FALSE(check().refused()) << to_text(check());
}

class PvhDom0Test : public PreflightTest {
  protected:
    PvhDom0Test() {
        machine_->machine_hardware.iommu = true;
        images_.kernel = write("vmlinux", fake::kernel_elf_with_note(18));
        images_.xen_commandline += " dom0=pv dom0=verbose,pvh";
    }
};

TEST_F(PvhDom0Test, TakesMemoryForItsOwnPageTablesToo) {
    // 1 MiB each of four processors, and 2 MiB for 512.
    machine_->machine_hardware.cpus = 4;
    machine_->survey_result.frames = ((512u + 6) << 8) + 2048 + 4;
    EXPECT_FALSE(check().refused()) << to_text(check());
    machine_->survey_result.frames -= 1;
    expect_refused("dom0 memory", "takes 527 MiB of 527 MiB", false);
    images_.xen_commandline += " dom0=pv";
    EXPECT_FALSE(check().refused()) << to_text(check());
}

TEST_F(PvhDom0Test, NeedsAKernelThatCanBeIt) {
    EXPECT_FALSE(check().refused()) << to_text(check());
    images_.kernel = write("vmlinux", fake::kernel_elf_with_note(17));
    expect_refused("dom0 type", "no PHYS32_ENTRY note", false);
    images_.kernel = write("vmlinuz", fake::kernel_image(fake::gzip(fake::kernel_elf())));
    expect_refused("dom0 type", "no PHYS32_ENTRY note", false);
    images_.kernel =
        write("vmlinuz", fake::kernel_image(fake::gzip(fake::kernel_elf_with_note(18))));
    EXPECT_FALSE(check().refused()) << to_text(check());
}

TEST_F(PvhDom0Test, NeedsAHostThatCanRunIt) {
    machine_->machine_hardware.iommu = false;
    expect_refused("dom0 type", "needs an IOMMU", false);
    machine_->machine_hardware.iommu = true;
    machine_->machine_hardware.hvm = false;
    expect_refused("dom0 type", "hardware virtualization", false);
    machine_->machine_hardware.hvm = true;
    const auto commandline = images_.xen_commandline;
    for (const std::string off : {"iommu=off", "iommu=verbose,no", "iommu=0", "iommu=on no-iommu",
                                  "no-iommu iommu=verbose"}) {
        images_.xen_commandline = commandline + " " + off;
        expect_refused("dom0 type", "needs an IOMMU", false);
    }
    for (const std::string on : {"iommu=off,on,no-intremap", "no-iommu iommu=1"}) {
        images_.xen_commandline = commandline + " " + on;
        EXPECT_FALSE(check().refused());
    }
}

TEST_F(PreflightTest, BadPagesThatTheNextXenWouldUse) {
    images_.xen_commandline += " badpage=0x3f45";
    expect_refused("xen command line", "badpage=0x3f45", false);
}

TEST_F(PreflightTest, AHypervisorThatWouldLoseTheGuests) {
    auto stock = fake::xen_image();
    stock[0x300] = {};
    images_.xen = write("stock.gz", fake::gzip(stock));
    expect_refused("xen image", "every guest would be lost", false);
}

// Its resume has failed and it was started from its disk, and nobody has given the memory up.
TEST_F(PreflightTest, AGuestThatRunsBesideItsPreservedMemory) {
    reboot_warm();
    const auto outcomes = resume(host(), {{"web", "mail"}, false});
    ASSERT_EQ(outcomes.size(), 2u);
    EXPECT_FALSE(preflight(host(), images_, OnGuestFailure::abort).refused());
    for (const bool same_name : {true, false}) {
        auto& other = fake::add_pvh_guest(*machine_, same_name ? "db" : "db2");
        if (!same_name) other.uuid = machine_->preserved.begin()->second.info.uuid;
        const auto report = preflight(host(), images_, OnGuestFailure::abort);
        EXPECT_TRUE(report.host_refused());
        EXPECT_NE(to_text(report).find("roothammer discard db"), std::string::npos)
            << to_text(report);
        machine_->destroy(other.id);
    }
    EXPECT_FALSE(preflight(host(), images_, OnGuestFailure::abort).refused());
}

TEST_F(PreflightTest, APassedThroughDevice) {
    web().refusal = {warmvm::Reason::passthrough, 0};
    expect_refused("guest web", "a device is passed through", true);
}

TEST_F(PreflightTest, AFrameInTheRangeIsNamed) {
    web().refusal = {warmvm::Reason::frame_range, 0x20123};
    expect_refused("guest web", "mfn 0x20123", true);
}

TEST_F(PreflightTest, LogDirtyMode) {
    web().refusal = {warmvm::Reason::log_dirty, 0};
    expect_refused("guest web", "log-dirty", true);
}

TEST_F(PreflightTest, NoPvDrivers) {
    node("control/feature-suspend") = "0";
    expect_refused("guest web", "no PV drivers", true);
    machine_->nodes.erase("/local/domain/1/control/feature-suspend");
    expect_refused("guest web", "no PV drivers", true);
}

TEST_F(PreflightTest, ARestoredGuestIsKnownByItsConnectedDrivers) {
    node("control/feature-suspend") = "";
    node("device/vif/0/state") = "4";
    EXPECT_FALSE(check().refused());
    node("device/vif/0/state") = "3";
    expect_refused("guest web", "no PV drivers", true);
}

TEST_F(PreflightTest, AResumedGuestCanBeFrozenAgain) {
    reboot_warm();
    resume(host(), {});
    EXPECT_FALSE(check().refused());
}

TEST_F(PreflightTest, AResumeThatHasNotEnded) {
    reboot_warm();
    kill_resume("web", "commit");
    const auto report = preflight(host(), images_, OnGuestFailure::abort);
    ASSERT_TRUE(report.host_refused());
    const auto refused = std::ranges::find(report.findings, Verdict::refused, &Finding::verdict);
    EXPECT_EQ(refused->text, "its resume has not ended");
    EXPECT_NE(refused->mend.find("roothammer resume web"), std::string::npos);
}

TEST_F(PreflightTest, APausedGuest) {
    web().toolstack_pauses = 1;
    const auto report = preflight(host(), images_, OnGuestFailure::abort);
    ASSERT_TRUE(report.refused());
    EXPECT_FALSE(report.host_refused());
    EXPECT_EQ(web().toolstack_pauses, 1);
}

TEST_F(PreflightTest, AGuestBeingMigrated) {
    node("name") = "web--incoming";
    expect_refused("guest web--incoming", "being migrated", true);
}

TEST_F(PreflightTest, AGuestThatHasBeenMigratedAway) {
    node("name") = "web--migratedaway";
    expect_refused("guest web--migratedaway", "being migrated", true);
}

// Nothing that would wake a guest in the middle of somebody's save.
TEST_F(PreflightTest, ASuspendedGuest) {
    web().shutdown = warmvm::ShutdownReason::suspend;
    const auto report = preflight(host(), images_, OnGuestFailure::abort);
    const auto refused = std::ranges::find(report.findings, Verdict::refused, &Finding::verdict);
    ASSERT_NE(refused, report.findings.end());
    EXPECT_EQ(refused->subject, "guest web");
    EXPECT_NE(refused->text.find("it is suspended, and not by a warm reboot"), std::string::npos);
    for (const char* touching : {"recover", "destroy", "unpause", "shut it down"}) {
        EXPECT_EQ(refused->mend.find(touching), std::string::npos) << refused->mend;
    }
}

TEST_F(PreflightTest, ASuspendedGuestThatAnEarlierTryWaitedForInVain) {
    web().suspends = fake::Domain::Suspends::late;
    web().late_by = 1000000;
    prepare();
    EXPECT_THROW(freeze(host()), warmvm::Error);
    web().shutdown = warmvm::ShutdownReason::suspend;
    const auto report = preflight(host(), images_, OnGuestFailure::abort);
    const auto refused = std::ranges::find(report.findings, Verdict::refused, &Finding::verdict);
    ASSERT_NE(refused, report.findings.end());
    EXPECT_NE(refused->mend.find("if nothing saves or migrates it"), std::string::npos);
    EXPECT_NE(refused->mend.find("roothammer recover web"), std::string::npos);
}

TEST_F(PreflightTest, AGuestThatAnEarlierTryWasAskingToSuspend) {
    kill_freeze("preserve");
    const auto report = preflight(host(), images_, OnGuestFailure::abort);
    const auto refused = std::ranges::find(report.findings, Verdict::refused, &Finding::verdict);
    ASSERT_NE(refused, report.findings.end());
    EXPECT_NE(refused->mend.find("run `roothammer recover`"), std::string::npos) << refused->mend;
}

TEST_F(PreflightTest, WithShutdownAGuestInOtherHandsIsRefusedAllTheSame) {
    const std::map<std::string, std::function<void()>> hands{
        {"suspended", [&] { web().shutdown = warmvm::ShutdownReason::suspend; }},
        {"crashed", [&] { web().shutdown = warmvm::ShutdownReason::crash; }},
        {"paused", [&] { web().toolstack_pauses = 1; }},
        {"asked", [&] { node("control/shutdown") = "suspend"; }},
        {"incoming", [&] { node("name") = "web--incoming"; }},
        {"log-dirty",
         [&] {
             web().refusal = {warmvm::Reason::log_dirty, 0};
         }},
        {"another toolstack's", [&] { machine_->nodes.erase("/libxl/1/type"); }},
    };
    for (const auto& [what, take] : hands) {
        reset();
        take();
        const auto report = preflight(host(), images_, OnGuestFailure::shutdown);
        EXPECT_TRUE(report.refused()) << what;
        EXPECT_EQ(to_text(report).find("will be shut down"), std::string::npos) << what;
    }
}

TEST_F(PreflightTest, AGuestThatLibxlDoesNotKnow) {
    machine_->nodes.erase("/libxl/1/type");
    expect_refused("guest web", "libxl does not know it", true);
}

// Whatever the hypervisor says of a guest is passed on with something to do about it.
TEST_F(PreflightTest, EveryRefusalOfTheHypervisors) {
    using warmvm::Reason;
    for (const auto reason :
         {Reason::dying, Reason::passthrough, Reason::log_dirty, Reason::mem_feature,
          Reason::frame_type, Reason::frame_range, Reason::no_memory}) {
        web().refusal = {reason, 5};
        expect_refused("guest web", std::string(describe(reason)), true);
    }
}

TEST_F(PreflightTest, AGuestThatAnEarlierTryLeftFrozen) {
    kill_freeze("arm");
    const auto report = preflight(host(), images_, OnGuestFailure::abort);
    ASSERT_TRUE(report.host_refused());
    const auto refused = std::ranges::find(report.findings, Verdict::refused, &Finding::verdict);
    EXPECT_EQ(refused->text, "it is frozen by an earlier try");
    EXPECT_NE(refused->mend.find("roothammer recover"), std::string::npos);
}

TEST_F(PreflightTest, WhatWaitsOrIsUnreadableIsCarriedAlongAndSaid) {
    reboot_warm();
    machine_->damage(warmvm::SetId(3), warmvm::Reason::checksum);
    resume(host(), {{"web"}, false});
    const auto report = preflight(host(), images_, OnGuestFailure::abort);
    EXPECT_FALSE(report.refused()) << to_text(report);
    const auto text = to_text(report);
    EXPECT_NE(text.find("note: guest mail: preserved and not resumed"), std::string::npos) << text;
    EXPECT_NE(text.find("note: set 3: unreadable"), std::string::npos) << text;
}

TEST_F(PreflightTest, SaysAllThatIsWrongAtOnce) {
    machine_->host_info.range = false;
    images_.initrd = "/no/such/file";
    web().refusal = {warmvm::Reason::passthrough, 0};
    const auto report = check();
    EXPECT_EQ(std::ranges::count(report.findings, Verdict::refused, &Finding::verdict), 3);
    EXPECT_TRUE(report.host_refused());
}

TEST_F(PreflightTest, AnHvmGuest) {
    web().kind = warmvm::GuestKind::hvm;
    expect_refused("guest web", "device model", true);
}

TEST_F(PreflightTest, A32BitPvGuest) {
    machine_->find("mail")->pv_width = 4;
    expect_refused("guest mail", "32-bit", true);
}

TEST_F(PreflightTest, ACrashedGuest) {
    web().shutdown = warmvm::ShutdownReason::crash;
    const auto report = preflight(host(), images_, OnGuestFailure::abort);
    EXPECT_TRUE(report.refused());
}

TEST_F(PreflightTest, WithShutdownAnUnfitGuestIsNoObstacle) {
    web().refusal = {warmvm::Reason::passthrough, 0};
    const auto report = check(OnGuestFailure::shutdown);
    EXPECT_FALSE(report.refused());
    ASSERT_EQ(report.guests.size(), 3u);
    EXPECT_FALSE(report.guests[0].fit);
    EXPECT_TRUE(report.guests[1].fit);
}

TEST_F(PreflightTest, JsonSaysTheSame) {
    web().refusal = {warmvm::Reason::passthrough, 0};
    const auto json = nlohmann::json::parse(to_json(check()));
    EXPECT_TRUE(json["refused"].get<bool>());
    EXPECT_EQ(json["guests"].size(), 3u);
    EXPECT_FALSE(json["guests"][0]["fit"].get<bool>());
}

TEST(XenCommandline, DropsWhatBelongsToOneBoot) {
    EXPECT_EQ(next_xen_commandline("a=1 liveupdate=256M@0x20000000 no-real-mode "
                                   "preserved-token=00ff b"),
              "a=1 b no-real-mode");
    EXPECT_EQ(with_token("x", 0xabc), "x preserved-token=0000000000000abc");
}

TEST(KernelCommandline, LeavesSelfTestsOutUnlessSomebodyWantsThem) {
    EXPECT_EQ(next_kernel_commandline("root=/dev/vda  quiet=\"a  b\"\n"),
              "root=/dev/vda  quiet=\"a  b\" cryptomgr.notests");
    EXPECT_EQ(next_kernel_commandline(""), "cryptomgr.notests");
    for (const std::string line : {"ro fips=1", "cryptomgr.panic_on_fail=1 ro",
                                   "cryptomgr.notests ro", "ro cryptomgr.notests=0"})
        EXPECT_EQ(next_kernel_commandline(line + "\n"), line);
    // A second warm reboot adds nothing more.
    EXPECT_EQ(next_kernel_commandline(next_kernel_commandline("ro")), "ro cryptomgr.notests");
}

}  // namespace
}  // namespace roothammer
