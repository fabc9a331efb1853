// SPDX-License-Identifier: GPL-2.0-only
// The two programs as their user sees them: what they print, what they end with, what they change.
#include "roothammer/command_line.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/file.hpp"
#include "base/lock.hpp"
#include "base/version.hpp"
#include "boot_files.hpp"
#include "ended.hpp"
#include "man_page.hpp"
#include "roothammer/roothammer.hpp"
#include "roothammer/xl_warm_reboot.hpp"
#include "scenario.hpp"

namespace roothammer {
namespace {

using nlohmann::json;

class CommandLine : public Scenario {
  protected:
    using Program = int (*)(int, const char* const*, const HostSource&);

    static Ended run(Program program, const std::vector<std::string>& words,
                     const HostSource& source) {
        return run_to_its_end(
            [&](int argc, const char* const* argv) { return program(argc, argv, source); }, words);
    }
    HostSource here() {
        host_.emplace(host());
        return {paths_, [this]() -> const Host& { return *host_; }};
    }
    Ended roothammer(const std::vector<std::string>& words) {
        return run(run_roothammer, words, here());
    }
    Ended warm_reboot(std::vector<std::string> words = {}) {
        write("xen", fake::xen_image());
        write("vmlinuz", fake::kernel_image(fake::gzip(fake::kernel_elf(3u << 20))));
        write("initrd", warmvm::Bytes(5000, std::byte{1}));
        for (const auto& [option, file] :
             {std::pair("--xen", "xen"), {"--kernel", "vmlinuz"}, {"--initrd", "initrd"}}) {
            words.emplace_back(option);
            words.push_back(root_ / file);
        }
        paths_.config = root_ / "roothammer.conf";
        return run(run_xl_warm_reboot, words, here());
    }
    void write(const std::string& name, const warmvm::Bytes& bytes) const {
        warmvm::replace_file(root_ / name, bytes);
    }
    void write(const std::string& name, std::string_view text) const {
        warmvm::replace_file(root_ / name, warmvm::as_byte_view(text));
    }
    bool was_logged(const std::string& words) const {
        return std::ranges::any_of(
            lines_, [&](const auto& line) { return line.find(words) != std::string::npos; });
    }
    // The freeze service, started by the target that xl-warm-reboot isolates.
    void serve_freeze() {
        machine_->on_warm_target = [this] {
            try {
                freeze(host());
            } catch (const warmvm::Error&) {
                // The service fails; the plan says why.
            }
        };
    }
    // Of a machine without Xen.
    HostSource no_host() const {
        return {paths_, []() -> const Host& { throw std::logic_error("asked for the host"); }};
    }

  private:
    std::optional<Host> host_;
};

TEST_F(CommandLine, HelpAsksForNoHost) {
    for (const Program program : {Program(run_roothammer), Program(run_xl_warm_reboot)}) {
        const auto ended = run(program, {"--help"}, no_host());
        EXPECT_EQ(ended.status, exit_ok);
        EXPECT_NE(ended.out, "");
        EXPECT_EQ(ended.err, "");
    }
}

TEST_F(CommandLine, VersionAsksForNoHost) {
    const auto version = std::string(warmvm::version());
    EXPECT_EQ(run(run_roothammer, {"--version"}, no_host()).out, "roothammer " + version + "\n");
    const auto ended = run(run_xl_warm_reboot, {"--version"}, no_host());
    EXPECT_EQ(ended.out, "xl-warm-reboot " + version + "\n");
    EXPECT_EQ(ended.status, exit_ok);
}

TEST_F(CommandLine, WrongUsageIsFoundBeforeTheHostIsAskedFor) {
    struct Wrong {
        std::vector<std::string> words;
        std::string named;
    };
    for (const auto& [words, named] :
         std::vector<Wrong>{{{}, "command"},
                            {{"dance"}, "'dance'"},
                            {{"list", "web"}, "'web'"},
                            {{"rescue", "web"}, "FILE"},
                            {{"discard"}, "NAME"},
                            {{"discard", "a", "b"}, "'b'"},
                            {{"timeline", "x"}, "'x'"},
                            {{"freeze", "x"}, "'x'"},
                            {{"list", "--no-such"}, "'--no-such'"},
                            {{"list", "--paused"}, "--paused"},
                            {{"list", "--tries", "2"}, "--tries"},
                            {{"list", "--json", "--expect-none"}, "--json"},
                            {{"resume", "--expect-none"}, "--expect-none"},
                            {{"resume", "--tries", "0"}, "--tries '0': a whole number from 1"},
                            {{"resume", "--tries=-1"}, "--tries '-1'"},
                            {{"discard", "web", "--json"}, "--json"},
                            {{"recover", "--json"}, "--json"}}) {
        expect_usage_error(run(run_roothammer, words, no_host()), named);
    }
    paths_.config = root_ / "roothammer.conf";
    for (const auto& [words, named] : std::vector<Wrong>{
             {{"--timeout", "soon"}, "--timeout 'soon'"},
             {{"--timeout", "0"}, "--timeout '0': a whole number from 1 to 86400"},
             {{"--timeout=-1"}, "--timeout '-1'"},
             {{"--timeout", "86401"}, "--timeout '86401'"},
             {{"--on-guest-failure", "hope"}, "--on-guest-failure 'hope': abort or shutdown"},
             {{"--no-such"}, "'--no-such'"},
             {{"word"}, "'word'"}}) {
        expect_usage_error(run(run_xl_warm_reboot, words, no_host()), named);
    }
    for (const auto& option :
         {"--xen", "--initrd", "--xen-cmdline", "--kernel-cmdline", "--keep"}) {
        expect_usage_error(run(run_xl_warm_reboot, {option, ""}, no_host()),
                           std::string(option) + " is empty");
    }
}

TEST_F(CommandLine, AnErrorInTheFileIsWrongUsageAndHasALine) {
    paths_.config = root_ / "roothammer.conf";
    for (const auto& [line, named] : {std::pair("no-such-option = 1", "no-such-option"),
                                      {"timeout = 0", "--timeout '0'"},
                                      {"xen", "xen"},
                                      {"[xen]", "sections"},
                                      {"xen =", "--xen is empty"},
                                      {"kernel-cmdline = # none", "--kernel-cmdline is empty"},
                                      {"keep =", "--keep is empty"},
                                      {"xen = \"/boot/xen.gz\"", "\"/boot/xen.gz\" begins with a"},
                                      {"keep = 'a.service'", "'a.service' begins with a quote"},
                                      {"initrd = b", "initrd was set on line 2"}}) {
        write("roothammer.conf", std::string("# a comment\n initrd = a \n") + line + "\n");
        const auto ended = run(run_xl_warm_reboot, {"--dry-run"}, no_host());
        expect_usage_error(ended, named);
        EXPECT_NE(ended.err.find("roothammer.conf:3: "), std::string::npos) << ended.err;
    }
}

TEST_F(CommandLine, AFileThatCannotBeReadDoesNotPassForNone) {
    paths_.config = root_ / "roothammer.conf";
    const auto expect_refused = [&](const std::string& why) {
        const auto ended = run(run_xl_warm_reboot, {"--dry-run"}, no_host());
        expect_usage_error(ended, why);
        EXPECT_NE(ended.err.find(paths_.config.string()), std::string::npos) << ended.err;
        std::filesystem::remove(paths_.config);
    };
    std::filesystem::create_directory(paths_.config);
    expect_refused("no regular file");
    std::filesystem::create_symlink(paths_.config, paths_.config);
    expect_refused("Too many levels");
    std::filesystem::create_symlink("/dev/zero", paths_.config);
    expect_refused("no regular file");
    ASSERT_EQ(::mkfifo(paths_.config.c_str(), 0600), 0);
    expect_refused("no regular file");
    write("roothammer.conf", std::string(2u << 20, '#'));
    expect_refused("larger than is plausible");
}

TEST_F(CommandLine, ListShowsEachGuestAndItsState) {
    EXPECT_TRUE(json::parse(roothammer({"list", "--json"}).out).at("guests").empty());
    reboot_warm();
    kill_resume("web", "commit");
    machine_->damage(warmvm::SetId(3), warmvm::Reason::checksum);
    const auto ended = roothammer({"list", "--json"});
    EXPECT_EQ(ended.status, exit_ok);
    const auto listed = json::parse(ended.out);
    std::map<std::string, std::string> states;
    std::map<std::string, std::string> types;
    for (const auto& guest : listed.at("guests")) {
        states[guest.at("name")] = guest.at("state");
        types[guest.at("name")] = guest.at("type");
    }
    EXPECT_EQ(types, (std::map<std::string, std::string>{
                         {"web", "pvh"}, {"mail", "pv"}, {"set 3", "hvm"}}));
    EXPECT_EQ(states, (std::map<std::string, std::string>{
                          {"web", "adopted"}, {"mail", "preserved"}, {"set 3", "unreadable"}}));
    EXPECT_EQ(listed.at("unreadable_frames"), 72);
    EXPECT_EQ(listed.at("generation"), 1);
    EXPECT_EQ(listed.at("record"), "");
    const auto table = roothammer({"list"}).out;
    EXPECT_NE(table.find("mail                     preserved   pv "), std::string::npos) << table;
    EXPECT_NE(table.find("web                      adopted     pvh "), std::string::npos) << table;
    // Its blob, which alone tells PVH from HVM, cannot be read.
    EXPECT_NE(table.find("set 3                    unreadable  hvm "), std::string::npos) << table;
    EXPECT_NE(table.find("checksum differs"), std::string::npos) << table;

    machine_->damage_record(warmvm::Reason::version);
    EXPECT_NE(json::parse(roothammer({"list", "--json"}).out).at("record"), "");
    EXPECT_NE(roothammer({"list"}).out.find("record is unreadable"), std::string::npos);
}

TEST_F(CommandLine, ListOfAHypervisorWithoutTheFeature) {
    machine_->has_feature = false;
    EXPECT_EQ(roothammer({"list"}).out, "this hypervisor preserves nothing\n");
    EXPECT_FALSE(json::parse(roothammer({"list", "--json"}).out).at("feature").get<bool>());
}

TEST_F(CommandLine, ExpectNoneSaysWhyToThoseWhoWouldStartGuests) {
    auto ended = roothammer({"list", "--expect-none"});
    EXPECT_EQ(ended.status, exit_ok);
    EXPECT_TRUE(lines_.empty());
    reboot_warm();
    machine_->damage_record(warmvm::Reason::version);
    ended = roothammer({"list", "--expect-none"});
    EXPECT_EQ(ended.status, exit_host_refused);
    EXPECT_EQ(ended.out, "");
    EXPECT_TRUE(was_logged("unknown version"));
    EXPECT_TRUE(was_logged("systemctl start xendomains"));
}

TEST_F(CommandLine, ResumeSaysWhatBecameOfEachGuest) {
    reboot_warm();
    auto ended = roothammer({"resume", "web", "ghost"});
    EXPECT_EQ(ended.status, exit_host_refused);
    EXPECT_NE(ended.out.find("web: resumed"), std::string::npos);
    EXPECT_NE(ended.out.find("ghost: is not preserved"), std::string::npos);
    ended = roothammer({"resume", "--json"});
    EXPECT_EQ(ended.status, exit_ok);
    EXPECT_EQ(json::parse(ended.out).size(), 2u);
    EXPECT_EQ(machine_->what_is_not_as_before(), "");
}

TEST_F(CommandLine, AGuestThatIsFrozenIsRefusedWithTheWayOut) {
    kill_freeze("arm");
    auto ended = roothammer({"resume", "web"});
    EXPECT_EQ(ended.status, exit_host_refused);
    EXPECT_NE(ended.out.find("roothammer recover"), std::string::npos) << ended.out;
    for (const auto& words : std::vector<std::vector<std::string>>{
             {"rescue", "web", (root_ / "f").string()}, {"discard", "web"}}) {
        ended = roothammer(words);
        EXPECT_EQ(ended.status, exit_host_refused) << words.front();
        EXPECT_NE(ended.err.find("roothammer recover"), std::string::npos) << ended.err;
    }
    EXPECT_EQ(machine_->preserved.size(), 3u);
    EXPECT_EQ(roothammer({"recover"}).status, exit_ok);
    EXPECT_EQ(machine_->what_is_not_as_before(), "");
}

TEST_F(CommandLine, ATimelineThatCannotBeReadOrWrittenIsNoFailedResume) {
    reboot_warm();
    warmvm::replace_file(paths_.state, warmvm::as_byte_view("no folder"));
    const auto ended = roothammer({"resume"});
    EXPECT_EQ(ended.status, exit_ok) << ended.err;
    EXPECT_NE(ended.out.find("db: resumed"), std::string::npos);
    EXPECT_TRUE(was_logged("the timeline is lost"));
    EXPECT_EQ(machine_->what_is_not_as_before(), "");
}

TEST_F(CommandLine, ResumePausedLeavesTheGuestToItsOwner) {
    reboot_warm();
    EXPECT_EQ(roothammer({"resume", "web", "--paused"}).status, exit_ok);
    EXPECT_EQ(machine_->find("web")->toolstack_pauses, 1);
    EXPECT_FALSE(machine_->find("web")->held);
}

TEST_F(CommandLine, RescueAndDiscard) {
    reboot_warm();
    const auto file = (root_ / "web.save").string();
    EXPECT_EQ(roothammer({"rescue", "web", file}).status, exit_ok);
    EXPECT_EQ(roothammer({"rescue", "web", file}).status, exit_failed) << "overwrote a file";
    EXPECT_EQ(roothammer({"discard", "web"}).status, exit_ok);
    EXPECT_EQ(roothammer({"discard", "web"}).status, exit_failed);
    EXPECT_EQ(machine_->preserved.size(), 2u);
}

TEST_F(CommandLine, RecoverAndTimeline) {
    EXPECT_EQ(roothammer({"recover"}).status, exit_ok);
    const auto unknown = roothammer({"recover", "web"});
    EXPECT_EQ(unknown.status, exit_failed);
    EXPECT_NE(unknown.err.find("guest web: no warm reboot"), std::string::npos) << unknown.err;
    EXPECT_EQ(roothammer({"timeline"}).status, exit_failed);
    reboot_warm();
    roothammer({"resume"});
    EXPECT_NE(roothammer({"timeline"}).out.find("web running"), std::string::npos);
    // A file says it all.
    const auto ended = run(run_roothammer, {"timeline", "--json"}, no_host());
    EXPECT_EQ(json::parse(ended.out).at("guests").size(), 3u);
    for (const std::string_view damaged : {"", "{\"version\":1}", "{\"version\":9}"}) {
        warmvm::replace_file(paths_.timeline(), warmvm::as_byte_view(damaged));
        const auto failed = run(run_roothammer, {"timeline"}, no_host());
        EXPECT_EQ(failed.status, exit_failed);
        EXPECT_NE(failed.err.find(paths_.timeline().string() + ": "), std::string::npos)
            << failed.err;
    }
}

TEST_F(CommandLine, OneAtATime) {
    reboot_warm();
    const auto work = take_lock(paths_.work_lock());
    for (const auto& words :
         std::vector<std::vector<std::string>>{{"resume"},
                                               {"rescue", "web", (root_ / "f").string()},
                                               {"discard", "web"},
                                               {"recover"},
                                               {"freeze"}}) {
        EXPECT_EQ(roothammer(words).status, exit_host_refused) << words.front();
    }
    EXPECT_EQ(roothammer({"list"}).status, exit_ok);
    EXPECT_EQ(warm_reboot({"--dry-run"}).status, exit_host_refused);
    EXPECT_EQ(machine_->preserved.size(), 3u);
}

TEST_F(CommandLine, DryRunEndsWithItsVerdictAndChangesNothing) {
    auto ended = warm_reboot({"--dry-run", "--json"});
    EXPECT_EQ(ended.status, exit_ok) << ended.out;
    EXPECT_FALSE(json::parse(ended.out).at("refused").get<bool>());
    machine_->find("web")->refusal = {warmvm::Reason::passthrough, 0};
    EXPECT_EQ(warm_reboot({"--dry-run"}).status, exit_guest_refused);
    EXPECT_EQ(warm_reboot({"--dry-run", "--on-guest-failure", "shutdown"}).status, exit_ok);
    machine_->host_info.range = false;
    EXPECT_EQ(warm_reboot({"--dry-run"}).status, exit_host_refused);
    EXPECT_EQ(machine_->what_is_not_as_before(), "");
    EXPECT_FALSE(std::filesystem::exists(paths_.plan()));
}

TEST_F(CommandLine, AUnitToKeepThatIsNotThereIsNoted) {
    const auto ended = warm_reboot({"--dry-run", "--keep", "storage.service", "--keep", "strage*"});
    EXPECT_EQ(ended.status, exit_ok) << ended.out;
    EXPECT_NE(ended.out.find("keep strage*"), std::string::npos) << ended.out;
    EXPECT_EQ(ended.out.find("keep storage"), std::string::npos) << ended.out;
}

TEST_F(CommandLine, ARefusedWarmRebootChangesNothing) {
    serve_freeze();
    machine_->find("web")->refusal = {warmvm::Reason::passthrough, 0};
    const auto ended = warm_reboot();
    EXPECT_EQ(ended.status, exit_guest_refused);
    EXPECT_NE(ended.out.find("mend: "), std::string::npos) << ended.out;
    EXPECT_EQ(machine_->what_is_not_as_before(), "");
    EXPECT_FALSE(std::filesystem::exists(paths_.plan()));
}

TEST_F(CommandLine, AWarmRebootThatWorksDoesNotReturn) {
    serve_freeze();
    EXPECT_THROW(warm_reboot(), fake::Rebooted);
    EXPECT_EQ(machine_->preserved.size(), 3u);
    EXPECT_EQ(machine_->save_timeout, std::chrono::seconds(60));
}

TEST_F(CommandLine, Dom0sKernelIsLoadedUnpacked) {
    serve_freeze();
    EXPECT_THROW(warm_reboot(), fake::Rebooted);
    EXPECT_EQ(machine_->loaded_kernel, fake::kernel_elf(3u << 20));
}

TEST_F(CommandLine, AWarmRebootThatIsCalledOffEndsWith1) {
    serve_freeze();
    machine_->find("db")->suspends = fake::Domain::Suspends::never;
    const auto ended = warm_reboot({"--timeout", "7", "--json"});
    EXPECT_EQ(ended.status, exit_failed);
    EXPECT_TRUE(was_logged("it did not suspend within 7000 ms"));
    EXPECT_TRUE(was_logged("called off"));
    EXPECT_NE(ended.out.find("\"aborted\""), std::string::npos);
    EXPECT_EQ(machine_->save_timeout, std::chrono::seconds(7));
    EXPECT_EQ(machine_->what_is_not_as_before(), "");
}

TEST_F(CommandLine, AFreezeThatIsNeverStartedIsCalledOff) {
    machine_->other_jobs = 3;
    const auto ended = warm_reboot();  // nobody serves
    EXPECT_EQ(ended.status, exit_failed);
    EXPECT_TRUE(was_logged("has dropped the freeze"));
    EXPECT_LT(machine_->other_jobs, 0);
    EXPECT_EQ(machine_->what_is_not_as_before(), "");
}

TEST_F(CommandLine, OptionsOfTheFileAreOverriddenByThoseOfTheCommand) {
    write("roothammer.conf", "timeout = 9\nkeep = a\nkeep = b\non-guest-failure = shutdown\n");
    serve_freeze();
    machine_->find("db")->suspends = fake::Domain::Suspends::never;
    EXPECT_THROW(warm_reboot({"--timeout", "8"}), fake::Rebooted);
    EXPECT_EQ(machine_->save_timeout, std::chrono::seconds(8));
    EXPECT_EQ(machine_->shutdown_timeout, std::chrono::seconds(8));
    EXPECT_EQ(machine_->find("db"), nullptr);
    EXPECT_EQ(machine_->preserved.size(), 2u);
}

TEST_F(CommandLine, EachManPageHasTheOptionsThatHelpHas) {
    for (const auto& [name, program] : {std::pair("roothammer", Program(run_roothammer)),
                                        {"xl-warm-reboot", Program(run_xl_warm_reboot)}}) {
        EXPECT_EQ(options_in(run(program, {"--help"}, no_host()).out),
                  options_of_man_page(std::string(name) + ".8"))
            << name;
    }
}

}  // namespace
}  // namespace roothammer
