// SPDX-License-Identifier: GPL-2.0-only
// The history file: what is sound is used, whatever has become of the rest.
#include "policy/history.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "policy/record_line.hpp"

namespace roothammer::policy {
namespace {

constexpr const char* golden_file = "tests/unit/policy/golden/history-v1";

Sample sample_at(const std::string& boot, std::int64_t seconds, std::int64_t wall_start = 1000000) {
    Sample sample;
    sample.moment = {boot, std::chrono::seconds(seconds), wall_start + seconds};
    sample.values[Value::xen_own] = static_cast<std::uint64_t>(seconds) * 10;
    return sample;
}

std::vector<Sample> some_samples() {
    return {sample_at("a", 100), sample_at("a", 200), sample_at("b", 50, 1000300),
            sample_at("b", 150, 1000300)};
}

const Moment later{"b", std::chrono::seconds(1000), 1001300};

std::vector<std::string> reasons(const History& history) {
    std::vector<std::string> all;
    for (const auto& one : history.rejected) {
        all.push_back(std::to_string(one.line) + " " + one.reason);
    }
    return all;
}

TEST(History, ReadsWhatItWrites) {
    const auto history = parse_history(to_text(some_samples()), later);
    EXPECT_EQ(history.samples, some_samples());
    EXPECT_TRUE(history.rejected.empty());
    EXPECT_FALSE(history.from_the_future);
}

TEST(History, TheGoldenFileIsReadAndWrittenThisWay) {
    Sample first;
    first.moment = {"11111111-2222-3333-4444-555555555555", std::chrono::milliseconds(900123),
                    1790000000};
    for (std::size_t i = 0; i < value_names.size(); ++i) first.values.all.at(i) = 1000 + i;
    auto second = first;
    second.moment.uptime += std::chrono::minutes(15);
    second.moment.wall += 960;
    second.clock_stepped = true;
    second.values[Value::xenstored].reset();
    const auto golden = warmvm::read_text_file(golden_file);
    EXPECT_EQ(to_text(std::vector{first, second}), golden);
    const auto history = parse_history(golden, {"another", std::chrono::seconds(1), 1790100000});
    EXPECT_EQ(history.samples, (std::vector{first, second}));
}

TEST(History, CutAnywhereTheWholeLinesStay) {
    const auto whole = to_text(some_samples());
    for (std::size_t length = 0; length < whole.size(); ++length) {
        const auto cut = whole.substr(0, length);
        const auto history = parse_history(cut, later);
        const auto lines = static_cast<std::size_t>(std::ranges::count(cut, '\n'));
        EXPECT_EQ(history.samples.size(), lines) << length;
        const bool has_rest = !cut.empty() && cut.back() != '\n';
        EXPECT_EQ(history.rejected.size(), has_rest ? 1u : 0u) << length;
    }
}

TEST(History, AChangedOctetCostsItsLineAtMostTwo) {
    const auto whole = to_text(some_samples());
    for (std::size_t at = 0; at < whole.size(); ++at) {
        auto bad = whole;
        bad[at] = static_cast<char>(bad[at] ^ 0x10);
        const auto history = parse_history(bad, later);
        EXPECT_GE(history.samples.size(), 2u) << at;
        EXPECT_LE(history.samples.size(), 3u) << at;
        EXPECT_FALSE(history.rejected.empty()) << at;
        for (const auto& sample : history.samples) {
            EXPECT_NE(std::ranges::count(some_samples(), sample), 0) << at;
        }
    }
}

TEST(History, GarbageBetweenSoundLines) {
    auto text = seal(to_json(sample_at("a", 100))) + "\n" + std::string(10000, 'x') + "\n" +
                seal("{}") + seal("[1,2]") + seal("not json") + seal(to_json(sample_at("a", 200)));
    const auto history = parse_history(text, later);
    EXPECT_EQ(history.samples, (std::vector{sample_at("a", 100), sample_at("a", 200)}));
    EXPECT_EQ(history.rejected.size(), 5u);
    EXPECT_LE(history.rejected[1].text.size(), max_record_line);
}

TEST(History, AnotherVersion) {
    const auto line = seal(to_json(sample_at("a", 100)));
    const auto history = parse_history("2" + line.substr(1) + line, later);
    EXPECT_EQ(history.samples.size(), 1u);
    EXPECT_EQ(reasons(history), std::vector<std::string>{"1 line of 2: unknown version"});
}

TEST(History, FromTheFuture) {
    const auto history =
        parse_history(to_text(std::vector{sample_at("a", 100), sample_at("a", 200, 9000000),
                                          sample_at("b", 100), sample_at("b", 1001)}),
                      later);
    EXPECT_EQ(history.samples, (std::vector{sample_at("a", 100), sample_at("b", 100)}));
    EXPECT_EQ(reasons(history),
              (std::vector<std::string>{"2 from the future", "4 from the future of this boot"}));
    EXPECT_TRUE(history.from_the_future);
}

TEST(History, OutOfOrder) {
    const auto history = parse_history(
        to_text(std::vector{sample_at("a", 100), sample_at("a", 100), sample_at("a", 50),
                            sample_at("b", 10), sample_at("a", 300), sample_at("b", 20)}),
        later);
    EXPECT_EQ(history.samples,
              (std::vector{sample_at("a", 100), sample_at("b", 10), sample_at("b", 20)}));
    EXPECT_EQ(reasons(history), (std::vector<std::string>{"2 not later than the one before",
                                                          "3 not later than the one before",
                                                          "5 its boot has ended before"}));
}

TEST(History, WrongValues) {
    const std::string good = to_json(sample_at("a", 100));
    const auto with = [&](const std::string& from, const std::string& to) {
        auto text = good;
        text.replace(text.find(from), from.size(), to);
        return text;
    };
    ASSERT_NO_THROW((void)parse_sample(good));
    for (const auto& text :
         {with("100000", "-1"), with("100000", "1e300"), with("100000", "1.5"),
          with("100000", "99999999999999999999"), with("100000", "18446744073709551615"),
          with("\"a\"", "\"\""), with("\"a\"", "7"), with("xen_own\":1000", "xen_own\":-4"),
          with("xen_own\":1000", "xen_own\":9007199254740993"), with("wall", "wail"),
          with("xen_own\":1000", "xen_own\":null"), with("1000100", "253402300800")}) {
        EXPECT_THROW((void)parse_sample(text), warmvm::Error) << text;
    }
}

TEST(History, WhatIsSetAsideIsBounded) {
    std::string text;
    for (int i = 0; i < 1000; ++i) text += std::string(1000, 'x') + "\n";
    const auto rejected = to_text(parse_history(text, later).rejected);
    EXPECT_LE(rejected.size(), 64u << 10);
    EXPECT_NE(rejected.find("# line 1: "), std::string::npos);
}

}  // namespace
}  // namespace roothammer::policy
