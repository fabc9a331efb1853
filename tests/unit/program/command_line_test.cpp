// SPDX-License-Identifier: GPL-2.0-only
#include "program/command_line.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <iostream>
#include <stdexcept>

#include "base/version.hpp"
#include "ended.hpp"

namespace warmvm {
namespace {

namespace po = boost::program_options;

int brew(const Words& arguments) {
    unsigned cups = 0;
    po::options_description options("teapot brew KIND");
    options.add_options()("cups", whole_number_into(cups, "cups", 1, 12)->default_value("4"),
                          "how many")("milk", po::bool_switch(), "with milk");
    const auto line = parse_command_line(arguments, options);
    expect_words(line.words, {"KIND"});
    std::printf("%u of %s\n", cups, line.words.front().c_str());
    return exit_ok;
}
int smash(const Words&) {
    throw std::runtime_error("in pieces");
}

Ended teapot(const Words& words) {
    const Commands commands{{"brew", brew}, {"smash", smash}};
    return run_to_its_end(
        [&](int argc, const char* const* argv) {
            return run_commands("teapot", commands, argc, argv);
        },
        words);
}

TEST(CommandLine, OptionsAndWordsComeInAnyOrder) {
    EXPECT_EQ(teapot({"brew", "green"}).out, "4 of green\n");
    EXPECT_EQ(teapot({"brew", "--cups", "12", "green"}).out, "12 of green\n");
    EXPECT_EQ(teapot({"brew", "--cups=1", "--", "--green"}).out, "1 of --green\n");
    EXPECT_EQ(teapot({"brew", "--", "-h"}).out, "4 of -h\n");
}

TEST(CommandLine, EveryProgramAndCommandHasHelpAndAVersion) {
    for (const Words& words : {Words{"--help"}, Words{"brew", "--help"}, Words{"-h"},
                               Words{"brew", "-h"}, Words{"brew", "--milk", "-h", "green"}}) {
        const auto ended = teapot(words);
        EXPECT_EQ(ended.status, exit_ok);
        EXPECT_NE(ended.out.find("--version"), std::string::npos) << ended.out;
        EXPECT_EQ(ended.err, "");
    }
    EXPECT_NE(teapot({"--help"}).out.find("brew, smash"), std::string::npos);
    EXPECT_NE(teapot({"brew", "--help"}).out.find("(=4)"), std::string::npos);
    for (const Words& words : {Words{"--version"}, Words{"brew", "--version"}}) {
        EXPECT_EQ(teapot(words).out, "teapot " + std::string(version()) + "\n");
    }
}

TEST(CommandLine, WrongUsageNamesTheWordPointsToHelpAndEndsWith2) {
    expect_usage_error(teapot({}), "brew, smash");
    expect_usage_error(teapot({"dance"}), "'dance'");
    expect_usage_error(teapot({"--dance"}), "'--dance'");
    expect_usage_error(teapot({"brew"}), "KIND is missing");
    expect_usage_error(teapot({"brew", "green", "black"}), "'black'");
    expect_usage_error(teapot({"brew", "green", "--sugar"}), "'--sugar'");
    expect_usage_error(teapot({"brew", "green", "--milk=2"}), "--milk");
    for (const std::string text : {"0", "13", "-5", "4.5", "four", "4 ", "99999999999999999999"}) {
        const auto ended = teapot({"brew", "green", "--cups", text});
        expect_usage_error(ended, "--cups '" + text + "': a whole number from 1 to 12 is wanted");
        EXPECT_NE(ended.err.find("see teapot brew --help"), std::string::npos) << ended.err;
    }
}

TEST(CommandLine, RealNumbersHaveBoundsToo) {
    EXPECT_EQ(real_number("link", "0.5", 0, 1), 0.5);
    for (const std::string text : {"", "-1", "2", "nan", "inf", "1x"}) {
        EXPECT_THROW(real_number("link", text, 0, 1), UsageError) << text;
    }
}

TEST(CommandLine, AFailureEndsWith1) {
    const auto ended = teapot({"smash"});
    EXPECT_EQ(ended.status, exit_failed);
    EXPECT_EQ(ended.err, "teapot smash: in pieces\n");
}

// The program's standard output is `descriptor`, or closed if that is none.
Ended with_output(int descriptor, int (*program)()) {
    return run_to_its_end(
        [&](int, const char* const*) {
            const int before = ::dup(STDOUT_FILENO);
            if (descriptor < 0) {
                ::close(STDOUT_FILENO);
            } else {
                ::dup2(descriptor, STDOUT_FILENO);
            }
            const int status = run_program("teapot", program);
            ::dup2(before, STDOUT_FILENO);
            ::close(before);
            std::clearerr(stdout);
            std::cout.clear();
            return status;
        },
        {});
}

TEST(CommandLine, LostOutputIsAFailure) {
    const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
    ASSERT_GE(full, 0);
    for (const auto& [output, why] :
         {std::pair(full, "No space left on device"), {-1, "Bad file descriptor"}}) {
        const std::string message =
            std::string("teapot: standard output could not be written: ") + why + "\n";
        auto ended = with_output(output, [] { return std::printf("tea\n") == 4 ? 0 : 9; });
        EXPECT_EQ(ended.status, exit_failed);
        EXPECT_EQ(ended.err, message);
        ended = with_output(output, []() -> int {
            std::cout << "tea\n";
            return 5;
        });
        EXPECT_EQ(ended.status, 5) << "it says more than that the output is lost";
        EXPECT_EQ(ended.err, message);
        ended = with_output(output, []() -> int {
            return parse_command_line({"--help"}, po::options_description("options")).words.empty();
        });
        EXPECT_EQ(ended.status, exit_failed);
        // It was written, and lost, before the end.
        ended = with_output(output, []() -> int {
            std::cout << "tea" << std::endl;
            return 0;
        });
        EXPECT_EQ(ended.status, exit_failed);
        EXPECT_NE(ended.err.find("could not be written"), std::string::npos) << ended.err;
        EXPECT_EQ(with_output(output, [] { return 0; }).status, 0) << "nothing was printed";
    }
    ::close(full);
}

TEST(CommandLine, AFileThatIsOpenedIsNotTheOutputThatWasClosed) {
    const auto ended = with_output(-1, [] {
        const int file = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        ::close(file);
        return file == STDOUT_FILENO ? 9 : 0;
    });
    EXPECT_EQ(ended.status, 0);
}

}  // namespace
}  // namespace warmvm
