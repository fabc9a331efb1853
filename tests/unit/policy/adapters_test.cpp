// SPDX-License-Identifier: GPL-2.0-only
// The real ports, as far as they go without Xen and root: a folder that looks like a dom0's.
#include <gtest/gtest.h>

#include <stdlib.h>
#include <sys/stat.h>
#include <algorithm>

#include <fstream>

#include "base/error.hpp"
#include "policy/history.hpp"
#include "policy/ports.hpp"
#include "policy/preflight_output.hpp"
#include "policy/proc_files.hpp"
#include "roothammer/timeline.hpp"
#include "temporary_folder.hpp"

namespace roothammer::policy {
namespace {

TEST(ProcFiles, Fields) {
    constexpr std::string_view text =
        "MemTotal:        2048000 kB\nMemAvailable:      12 kB\nHugePages_Total:   4\n"
        "Odd:   12 kB more\nHuge: 99999999999999999999 kB\nBig: 9007199254740993 kB\nVmRSS:\t 7 kB";
    EXPECT_EQ(field_in_kib(text, "MemTotal"), 2048000u << 10);
    EXPECT_EQ(field_in_kib(text, "MemAvailable"), 12u << 10);
    EXPECT_EQ(field_in_kib(text, "VmRSS"), 7u << 10);
    for (const auto* name : {"Mem", "HugePages_Total", "Odd", "Huge", "Big", "Nothing"}) {
        EXPECT_FALSE(field_in_kib(text, name)) << name;
    }
}

TEST(KernelLog, CountsTheKernelsOwnErrorsOnce) {
    KernelLog log(10);
    log.add("3,9,1,-;before");
    log.add("3,10,1,-;an error\n SUBSYSTEM=pci\n");
    log.add("6,11,1,-;information");
    log.add("11,12,1,-;an error, of a program");  // facility 1
    log.add("2,15,1,c;critical");
    EXPECT_EQ(log.errors(), 2u);
    EXPECT_EQ(log.next(), 16u);
    EXPECT_EQ(log.out_of_memory(), 0u);
}

TEST(KernelLog, OutOfMemoryIsOneLineATime) {
    KernelLog log(0);
    log.add("4,1,1,-;redis invoked oom-killer: gfp_mask=0x100cca, order=0, oom_score_adj=0");
    log.add("6,2,1,-;oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),task=redis,pid=1,uid=0");
    log.add("3,3,1,-;Out of memory: Killed process 1 (redis) total-vm:1kB");
    log.add("4,4,1,-;kworker/0:1: page allocation failure: order:5, mode:0xcc0(GFP_KERNEL)");
    EXPECT_EQ(log.out_of_memory(), 2u);
    log.add("6,5,1,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),task=x,pid=1,uid=0");
    EXPECT_EQ(log.out_of_memory(), 2u) << "a control group's own limit";
}

TEST(KernelLog, GarbageIsNothing) {
    KernelLog log(0);
    for (const auto* text : {"", "x", "3", "3,", "3,5", "3,5,1,-", "3;5,1,-;x", "3,x,1,-;x",
                             "3,99999999999999999999,1,-;x", "3,18446744073709551615,1,-;x"}) {
        log.add(text);
    }
    EXPECT_EQ(log.next(), 0u);
    EXPECT_EQ(log.errors(), 0u);
}

TEST(PreflightOutput, TheFirstRefusalInOneLine) {
    const std::string report =
        "xencall: some warning\n{\n  \"findings\": [\n    {\"verdict\": \"ok\", \"subject\": "
        "\"a\", "
        "\"text\": \"b\", \"mend\": \"\"},\n    {\"verdict\": \"refused\", \"subject\": \"guest "
        "web\", \"text\": \"it is paused\", \"mend\": \"xl unpause web\"}\n  ]\n}\nmore\n";
    const auto result = read_result(3, report);
    EXPECT_EQ(result.kind, CommandResult::Kind::guest_refused);
    EXPECT_EQ(result.why, "guest web: it is paused (xl unpause web)");
    EXPECT_EQ(read_result(4, report).kind, CommandResult::Kind::host_refused);
    EXPECT_EQ(read_result(0, report).kind, CommandResult::Kind::ok);
}

TEST(PreflightOutput, WithoutAReportTheLastWords) {
    const auto busy = read_result(4, "xl-warm-reboot: another warm reboot is at work\n");
    EXPECT_EQ(busy.kind, CommandResult::Kind::host_refused);
    EXPECT_EQ(busy.why, "xl-warm-reboot: another warm reboot is at work");
    EXPECT_EQ(read_result(139, "").kind, CommandResult::Kind::failed);
    EXPECT_EQ(read_result(139, "").why, "xl-warm-reboot ended with status 139");
    EXPECT_EQ(read_result(1, "{\n\"findings\": 7\n}\n").why, "}");
    EXPECT_EQ(read_result(1, "{\n}").kind, CommandResult::Kind::failed);
    EXPECT_LE(read_result(1, std::string(9000, 'x')).why.size(), 400u);
}

class Adapters : public ::testing::Test {
  protected:
    std::filesystem::path put(const std::string& name, const std::string& text) {
        auto path = root_ / name;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path) << text;
        return path;
    }
    // A program that takes the place of xl-warm-reboot.
    std::filesystem::path program(const std::string& body) {
        auto path = put("xl-warm-reboot", "#!/bin/sh\n" + body + "\n");
        ::chmod(path.c_str(), 0755);
        return path;
    }
    TemporaryFolder temporary_;
    const std::filesystem::path& root_ = temporary_.path();
};

TEST_F(Adapters, ADom0IsRead) {
    put("proc/meminfo",
        "MemTotal: 1000 kB\nMemAvailable: 400 kB\nSwapTotal: 50 kB\nSwapFree: 20 kB\n");
    put("proc/1/comm", "systemd\n");
    put("proc/self/comm", "xenstored\n");
    put("proc/77/comm", "oxenstored\n");
    put("proc/77/status", "Name:\toxenstored\nVmRSS:\t 300 kB\nVmSwap:\t 40 kB\n");
    put("dev/kmsg", "3,4,1,-;an error\n");
    Timeline timeline;
    timeline.tsc_khz = 1000;
    timeline.guests.resize(2);
    timeline.guests[0].suspended = 1000000;
    timeline.guests[0].running = 3500000;
    store_timeline(root_ / "last.json", timeline);

    const auto reading = open_aging_source(root_, root_ / "last.json")->read(0);
    EXPECT_EQ(reading.values[Value::dom0_total], 1000u << 10);
    EXPECT_EQ(reading.values[Value::dom0_available], 400u << 10);
    EXPECT_EQ(reading.values[Value::swap_total], 50u << 10);
    EXPECT_EQ(reading.values[Value::swap_used], 30u << 10);
    EXPECT_EQ(reading.values[Value::xenstored], 340u << 10);
    EXPECT_EQ(reading.values[Value::log_next], 5u);
    EXPECT_EQ(reading.values[Value::log_errors], 1u);
    ASSERT_TRUE(reading.last_reboot);
    EXPECT_EQ(reading.last_reboot->guests, 1u) << "the other has not been resumed";
    EXPECT_DOUBLE_EQ(reading.last_reboot->blackout, 2.5);
}

TEST_F(Adapters, AGuestResumedByHandDoesNotCountForTheRebootsLength) {
    constexpr std::uint64_t second = 1000000;
    Timeline timeline;
    timeline.tsc_khz = 1000;
    timeline.dom0 = 9 * second;
    timeline.resume_start = 86400 * second;  // of the second try: the first was killed
    timeline.guests.resize(3);
    for (auto& guest : timeline.guests) {
        guest.generation = 1;
        guest.suspended = second;
        guest.restore_start = 10 * second;
        guest.running = 11 * second;
    }
    // The second a day later, the third frozen by a warm reboot before the last.
    timeline.guests[1].restore_start = 86400 * second;
    timeline.guests[1].running = 86401 * second;
    timeline.guests[2].generation = 2;
    timeline.guests[2].running = 500 * second;
    store_timeline(root_ / "last.json", timeline);
    const auto reading = open_aging_source(root_, root_ / "last.json")->read(0);
    ASSERT_TRUE(reading.last_reboot);
    EXPECT_EQ(reading.last_reboot->guests, 1u);
    EXPECT_DOUBLE_EQ(reading.last_reboot->blackout, 10);
}

TEST_F(Adapters, WhatIsNotThereIsNamed) {
    const auto reading = open_aging_source(root_, root_ / "last.json")->read(0);
    for (const auto value : {Value::dom0_total, Value::xenstored, Value::log_next}) {
        EXPECT_FALSE(reading.values[value]);
    }
    for (const auto* part : {"dom0's memory: ", "xenstored: ", "the kernel's log: "}) {
        EXPECT_EQ(std::ranges::count_if(reading.missing,
                                        [&](const auto& text) { return text.starts_with(part); }),
                  1)
            << part;
    }
    EXPECT_FALSE(reading.last_reboot);
}

TEST_F(Adapters, StorageKeepsTheOldOrTheNew) {
    const auto storage = open_storage(root_ / "a/b");
    EXPECT_FALSE(storage->read("history"));
    storage->replace("history", "one");
    storage->replace("history", "two");
    EXPECT_EQ(storage->read("history"), "two");
    // A new content that was not finished is not the file.
    put("a/b/history.new", "thr");
    EXPECT_EQ(storage->read("history"), "two");
    std::filesystem::remove(root_ / "a/b/history.new");
    std::filesystem::create_directories(root_ / "a/b/history.new");
    EXPECT_THROW(storage->replace("history", "three"), warmvm::Error);
    EXPECT_EQ(storage->read("history"), "two");
}

TEST_F(Adapters, OfAFileThatIsTooLongTheEndIsUsed) {
    Sample sample;
    sample.moment = {"a", std::chrono::seconds(5), 100};
    put("history", std::string(5u << 20, 'x') + "\n" + to_text(std::vector{sample}));
    const auto text = open_storage(root_)->read("history");
    ASSERT_TRUE(text);
    EXPECT_EQ(text->size(), 4u << 20);
    const auto history = parse_history(*text, {"b", std::chrono::seconds(1), 200});
    EXPECT_EQ(history.samples, std::vector{sample});
    EXPECT_EQ(history.rejected.size(), 1u);
}

TEST_F(Adapters, TheCommandIsRunAsAnOperatorWould) {
    const auto path = program("echo \"$@\" >> " + (root_ / "calls").string() + "\nexit 0");
    const auto rebooter = open_rebooter(path);
    EXPECT_EQ(rebooter->preflight().kind, CommandResult::Kind::ok);
    const auto result = rebooter->reboot();
    EXPECT_EQ(result.kind, CommandResult::Kind::failed) << "a reboot that returns did not happen";
    std::ifstream calls(root_ / "calls");
    std::string line;
    std::getline(calls, line);
    EXPECT_EQ(line, "--dry-run --json");
    std::getline(calls, line);
    EXPECT_EQ(line, "--json");
}

TEST_F(Adapters, ACommandThatRefusesOrIsNotThere) {
    const auto refused = open_rebooter(program("echo 'range: none is reserved' >&2; exit 4"));
    EXPECT_EQ(refused->preflight().kind, CommandResult::Kind::host_refused);
    EXPECT_EQ(refused->reboot().why, "range: none is reserved");
    const auto killed = open_rebooter(program("kill -9 $$"));
    EXPECT_EQ(killed->preflight().kind, CommandResult::Kind::failed);
    const auto rebooter = open_rebooter(root_ / "nothing");
    EXPECT_THROW((void)rebooter->preflight(), warmvm::Error);
}

TEST(RealClock, BothClocksGoForward) {
    const auto clock = open_clock();
    const auto first = clock->now();
    const auto second = clock->now();
    EXPECT_EQ(first.boot.size(), 36u);
    EXPECT_GE(second.uptime, first.uptime);
    EXPECT_GT(first.wall, 1700000000);
}

}  // namespace
}  // namespace roothammer::policy
