// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

// What a program has said and ended with.
struct Ended {
    int status{};
    std::string out, err;
};

// `program` is given the words as its arguments, behind a name.
inline Ended run_to_its_end(const std::function<int(int, const char* const*)>& program,
                            std::vector<std::string> words) {
    words.insert(words.begin(), "program");
    std::vector<const char*> argv;
    for (const auto& word : words) argv.push_back(word.c_str());
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    Ended ended;
    try {
        ended.status = program(static_cast<int>(argv.size()), argv.data());
    } catch (...) {
        ::testing::internal::GetCapturedStdout();
        ::testing::internal::GetCapturedStderr();
        throw;
    }
    ended.out = ::testing::internal::GetCapturedStdout();
    ended.err = ::testing::internal::GetCapturedStderr();
    return ended;
}

// The one rule for wrong usage: it names the word, points to --help, and ends with 2.
inline void expect_usage_error(const Ended& ended, const std::string& word) {
    EXPECT_EQ(ended.status, 2) << ended.err;
    EXPECT_EQ(ended.out, "");
    EXPECT_NE(ended.err.find(word), std::string::npos) << word << " in " << ended.err;
    EXPECT_NE(ended.err.find(" --help\n"), std::string::npos) << ended.err;
}
