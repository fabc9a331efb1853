// SPDX-License-Identifier: GPL-2.0-only
// Against bytes that the C encoders of Xen's own generator write on the same machine.
#include "xen/save_helper_protocol.hpp"

#include <gtest/gtest.h>

#include "base/bytes.hpp"

namespace warmvm::save_helper {
namespace {

Message bytes(std::initializer_list<int> values) {
    Message message;
    for (const int value : values) message.push_back(static_cast<std::byte>(value));
    return message;
}

TEST(SaveHelperProtocol, CallsAreALengthAndANumber) {
    EXPECT_EQ(Suspend::encode(), bytes({2, 0, 3, 0}));
    EXPECT_EQ(Suspend::flag, 8u);
    EXPECT_TRUE(Suspend::replies);
}

TEST(SaveHelperProtocol, ArgumentsFollowUnpadded) {
    EXPECT_EQ(Complete::encode(-1, 5), bytes({10, 0, 10, 0, 255, 255, 255, 255, 5, 0, 0, 0}));
    EXPECT_EQ(RestoreResults::encode(0x1122, 0x33),
              bytes({18, 0, 9, 0, 0x22, 0x11, 0, 0, 0, 0, 0, 0, 0x33, 0, 0, 0, 0, 0, 0, 0}));
    EXPECT_FALSE(RestoreResults::replies);
}

TEST(SaveHelperProtocol, StringsCarryTheirLengthAndANul) {
    EXPECT_EQ(Log::encode(1, 2, "a", "bc"), bytes({2 + 4 + 4 + 6 + 7,
                                                   0,
                                                   1,
                                                   0,
                                                   1,
                                                   0,
                                                   0,
                                                   0,
                                                   2,
                                                   0,
                                                   0,
                                                   0,
                                                   2,
                                                   0,
                                                   0,
                                                   0,
                                                   'a',
                                                   0,
                                                   3,
                                                   0,
                                                   0,
                                                   0,
                                                   'b',
                                                   'c',
                                                   0}));
}

TEST(SaveHelperProtocol, LongLogLinesAreCutToFit) {
    const std::string line(100000, 'x');
    const auto message = Log::encode(1, 0, "c", line);
    EXPECT_EQ(load_at<std::uint16_t>(message, 0), message.size() - 2);
}

}  // namespace
}  // namespace warmvm::save_helper
