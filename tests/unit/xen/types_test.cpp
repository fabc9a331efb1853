// SPDX-License-Identifier: GPL-2.0-only
#include "xen/types.hpp"

#include <gtest/gtest.h>

#include <concepts>

namespace warmvm {
namespace {

static_assert(!std::convertible_to<Mfn, Gfn>);
static_assert(!std::convertible_to<std::uint64_t, Pfn>);

TEST(Uuid, PrintsWhatItParses) {
    const std::string text = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
    const auto uuid = Uuid::parse(text);
    ASSERT_TRUE(uuid);
    EXPECT_EQ(uuid->str(), text);
    EXPECT_EQ(uuid->bytes[0], 0x0f);
    EXPECT_EQ(uuid->bytes[15], 0xf0);
}

TEST(Uuid, RefusesWhatIsNone) {
    for (const auto* text :
         {"", "0f1e2d3c", "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f",
          "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f00", "0f1e2d3c+4b5a-6978-8796-a5b4c3d2e1f0",
          "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1fx", "-f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"}) {
        EXPECT_FALSE(Uuid::parse(text)) << text;
    }
}

}  // namespace
}  // namespace warmvm
