// SPDX-License-Identifier: GPL-2.0-only
#include "roothammer/roothammer.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/lock.hpp"
#include "host/preserved_guests.hpp"
#include "roothammer/autostart.hpp"
#include "roothammer/freeze.hpp"
#include "roothammer/recover.hpp"
#include "roothammer/rescue.hpp"
#include "roothammer/resume.hpp"
#include "roothammer/timeline.hpp"

namespace roothammer {
namespace {

namespace po = boost::program_options;
using nlohmann::json;
using warmvm::UsageError;

constexpr const char* usage =
    "roothammer COMMAND [options]: guests that outlive their hypervisor\n"
    "  list                  preserved guests\n"
    "  resume [NAME...]      bring preserved guests back; all of them by default\n"
    "  rescue NAME FILE      write a preserved guest as a save file for xl restore\n"
    "  discard NAME          scrub and free a preserved guest's memory; NAME may be 'set N', or\n"
    "                        'unreadable' for all that are\n"
    "  recover [NAME...]     put guests back that an unfinished warm reboot left frozen\n"
    "  timeline              when what happened in the last warm reboot\n"
    "  policy                reboot this host warmly when it has aged; see policy --help\n"
    "  freeze                freeze the planned guests and jump (run by its service)\n";

struct Arguments {
    warmvm::Words words;  // after the command
    bool json = false;
    bool paused = false;
    unsigned tries = 1;
    bool expect_none = false;
};

std::string dump(const json& object) {
    return object.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

// xendomains asks before it starts anything.
int expect_none(const Host& host) {
    const auto reasons = reasons_against_autostart(host);
    for (const auto& line : reasons) log(line);
    return reasons.empty() ? exit_ok : exit_host_refused;
}

int list(const HostSource& source, const Arguments& arguments) {
    const auto& host = source.open();
    if (arguments.expect_none) return expect_none(host);
    const auto info = host.preserved.info();
    const auto guests = preserved_guests(host);
    if (arguments.json) {
        json sets = json::array();
        for (const auto& guest : guests) {
            sets.push_back({{"set", guest.set.id.value()},
                            {"name", guest.name},
                            {"state", describe(guest.set.state)},
                            {"type", str(guest.kind)},
                            {"uuid", guest.set.uuid.str()},
                            {"domid", guest.set.domid.value()},
                            {"generation", guest.set.generation},
                            {"frames", guest.set.frames},
                            {"extents", guest.set.extents},
                            {"metadata_bytes", guest.set.metadata_bytes},
                            {"blob_bytes", guest.set.blob_bytes},
                            {"trouble", guest.trouble.value_or("")}});
        }
        json object{{"feature", info.has_value()}, {"guests", sets}};
        if (info) {
            object["range_bytes"] = info->range_size;
            object["generation"] = info->generation;
            object["unreadable_frames"] = info->unreadable_frames;
            object["record"] = info->record_reason == warmvm::Reason::none
                                   ? std::string()
                                   : std::string(describe(info->record_reason));
        }
        std::cout << dump(object);
        return exit_ok;
    }
    if (!info) {
        std::cout << "this hypervisor preserves nothing\n";
        return exit_ok;
    }
    if (info->record_reason != warmvm::Reason::none) {
        std::cout << "the previous hypervisor's record is unreadable: "
                  << describe(info->record_reason) << "; " << info->unreadable_frames
                  << " frames are kept\n";
    }
    std::printf("%-24s %-11s %-5s %10s %5s  %s\n", "NAME", "STATE", "TYPE", "MEM(MiB)", "GEN",
                "REMARK");
    for (const auto& guest : guests) {
        std::printf("%-24s %-11s %-5s %10llu %5u  %s\n", guest.name.c_str(),
                    std::string(describe(guest.set.state)).c_str(),
                    std::string(str(guest.kind)).c_str(),
                    static_cast<unsigned long long>(guest.set.frames >> 8), guest.set.generation,
                    guest.trouble.value_or("").c_str());
    }
    return exit_ok;
}

int resume_guests(const HostSource& source, const Arguments& arguments) {
    const auto outcomes =
        resume(source.open(), {arguments.words, arguments.paused, arguments.tries});
    bool failed = false;
    json results = json::array();
    for (const auto& outcome : outcomes) {
        failed |= outcome.trouble.has_value();
        results.push_back({{"name", outcome.name}, {"trouble", outcome.trouble.value_or("")}});
        if (!arguments.json) {
            std::cout << outcome.name << ": " << outcome.trouble.value_or("resumed") << "\n";
        }
    }
    if (arguments.json) std::cout << dump(results);
    return failed ? exit_host_refused : exit_ok;
}

int recover_guests(const HostSource& source, const Arguments& arguments) {
    const auto& host = source.open();
    const auto lock = take_lock(host.paths.work_lock());
    const auto left = recover(host, "recovered by hand or after a crash", arguments.words);
    log_left_open(left);
    return left.may_suspend.empty() && left.suspended.empty() ? exit_ok : exit_host_refused;
}

int print_timeline(const HostSource& source, const Arguments& arguments) {
    const auto timeline = load_timeline(source.paths.timeline());
    if (!timeline) {
        throw warmvm::Error::of(std::errc::no_such_file_or_directory,
                                source.paths.timeline().string() + ": no warm reboot yet");
    }
    std::cout << (arguments.json ? to_json(*timeline) : to_table(*timeline));
    return exit_ok;
}

int rescue_guest(const HostSource& source, const Arguments& arguments) {
    rescue(source.open(), arguments.words.at(0), arguments.words.at(1));
    return exit_ok;
}

int discard_guest(const HostSource& source, const Arguments& arguments) {
    discard(source.open(), arguments.words.at(0));
    return exit_ok;
}

int freeze_guests(const HostSource& source, const Arguments&) {
    freeze(source.open());
    return exit_failed;  // it does not return if it works
}

struct Command {
    std::string_view name;
    std::array<const char*, 2> words;  // that it takes; "...": any number
    std::array<std::string_view, 3> options;
    int (*run)(const HostSource&, const Arguments&);
};

constexpr std::array commands{
    Command{"list", {}, {"json", "expect-none"}, list},
    Command{"resume", {"..."}, {"json", "paused", "tries"}, resume_guests},
    Command{"rescue", {"NAME", "FILE"}, {}, rescue_guest},
    Command{"discard", {"NAME"}, {}, discard_guest},
    Command{"recover", {"..."}, {}, recover_guests},
    Command{"timeline", {}, {"json"}, print_timeline},
    Command{"freeze", {}, {}, freeze_guests}};

void check_words(const Command& command, const warmvm::Words& words) {
    warmvm::Words wanted;
    for (const char* const word : command.words) {
        if (!word) break;
        if (word == std::string_view("...")) return;
        wanted.emplace_back(word);
    }
    warmvm::expect_words(words, wanted);
}

// Throws if the command takes no such arguments: an option that does nothing would mislead.
const Command& find_command(const std::string& name, const Arguments& arguments,
                            const po::variables_map& given) {
    const auto* const command = std::ranges::find(commands, name, &Command::name);
    if (command == commands.end()) throw UsageError("'" + name + "' is no command");
    check_words(*command, arguments.words);
    for (const auto& [option, value] : given) {
        if (value.defaulted()) continue;
        if (std::ranges::find(command->options, option) == command->options.end()) {
            throw UsageError(name + " takes no --" + option);
        }
    }
    if (arguments.json && arguments.expect_none) {
        throw UsageError("--expect-none prints nothing: it goes without --json");
    }
    return *command;
}

}  // namespace

int run_roothammer(int argc, const char* const* argv, const HostSource& source) {
    return run_command("roothammer", [&] {
        constexpr unsigned most_tries = 1000;
        Arguments arguments;
        po::options_description options("options");
        options.add_options()("json", po::bool_switch(&arguments.json), "output as JSON")(
            "paused", po::bool_switch(&arguments.paused), "resume: leave the guests paused")(
            "tries",
            warmvm::whole_number_into(arguments.tries, "tries", 1, most_tries)->value_name("N"),
            "resume: try a guest that fails up to N times (default: once)")(
            "expect-none", po::bool_switch(&arguments.expect_none),
            "list: say why no guest may be started from its disk, and exit with 4; else nothing");
        auto line = warmvm::parse_command_line({argv + 1, argv + argc}, options, usage);
        if (line.words.empty()) throw UsageError("a command is needed");
        const std::string command = line.words.front();
        arguments.words.assign(line.words.begin() + 1, line.words.end());
        return find_command(command, arguments, line.options).run(source, arguments);
    });
}

}  // namespace roothammer
