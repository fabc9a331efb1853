// SPDX-License-Identifier: GPL-2.0-only
#include "roothammer/boot_images.hpp"

#include <gtest/gtest.h>

#include "boot_files.hpp"

namespace roothammer {
namespace {

using warmvm::Bytes;
using warmvm::ByteView;
using warmvm::Error;
using warmvm::StreamErrc;

template <class Inspect>
std::error_code failure(Inspect inspect, ByteView file) {
    try {
        (void)inspect(file);
    } catch (const Error& error) {
        return error.code();
    }
    ADD_FAILURE() << "was accepted";
    return {};
}

TEST(XenImage, KnowsXenOfBothClasses) {
    const auto image = inspect_xen(fake::xen_image(4096, 12345));
    EXPECT_EQ(image.memory_bytes, 12345u);
    EXPECT_EQ(image.min_address, 0x200000u);
    EXPECT_EQ(image.max_address, 0xffffffffu);
    EXPECT_EQ(inspect_xen(fake::xen_image_32(4096, 54321)).memory_bytes, 54321u);
}

TEST(XenImage, RefusesEveryTruncation) {
    const auto good = fake::xen_image(600, 8192);
    for (std::size_t length = 0; length < good.size(); ++length) {
        EXPECT_THROW((void)inspect_xen(ByteView(good).first(length)), Error) << length;
    }
    EXPECT_EQ(failure(inspect_xen, ByteView(good).first(good.size() - 1)), StreamErrc::truncated);
}

TEST(XenImage, RefusesWhatIsNotXen) {
    EXPECT_EQ(failure(inspect_xen, fake::kernel_image(1 << 20)), StreamErrc::bad_magic);
    EXPECT_EQ(failure(inspect_xen, warmvm::as_byte_view("#!/bin/sh")), StreamErrc::bad_magic);
    auto no_multiboot = fake::xen_image();
    no_multiboot[0x210] = {};
    EXPECT_EQ(failure(inspect_xen, no_multiboot), StreamErrc::bad_magic);
    EXPECT_EQ(failure(inspect_xen, fake::xen_image(4096, 8192, false)), StreamErrc::missing_record);
    EXPECT_EQ(failure(inspect_xen, fake::xen_image(4096, 100)), StreamErrc::bad_value);
    EXPECT_EQ(failure(inspect_xen, fake::xen_image(4096, std::size_t{1} << 40)),
              StreamErrc::bad_value);
}

TEST(Dom0Kernel, NeedsHeadroomAsXenReckonsIt) {
    constexpr std::uint32_t unpacked = 30u << 20;
    // bzimage_headroom(): output + output / 4096 + 32 KB + 18, whole pages
    const std::uint64_t gzip = (unpacked + (unpacked >> 12) + 32768 + 18 + 4095) & ~4095ull;
    EXPECT_EQ(inspect_kernel(fake::kernel_image(unpacked)).headroom_bytes, gzip);
    // others: output + input
    EXPECT_EQ(inspect_kernel(fake::kernel_image(unpacked, false)).headroom_bytes,
              (unpacked + 2048u + 4095u) & ~4095u);
    EXPECT_EQ(inspect_kernel(fake::xen_image()).headroom_bytes, 0u);
}

TEST(Dom0Kernel, RefusesWhatIsNoKernel) {
    auto old = fake::kernel_image(1 << 20);
    old[0x206] = std::byte{7};
    EXPECT_EQ(failure(inspect_kernel, old), StreamErrc::bad_version);
    const auto good = fake::kernel_image(1 << 20);
    EXPECT_EQ(failure(inspect_kernel, ByteView(good).first(good.size() - 1)),
              StreamErrc::truncated);
    EXPECT_EQ(failure(inspect_kernel, ByteView(good).first(100)), StreamErrc::bad_magic);
    EXPECT_EQ(failure(inspect_kernel, fake::kernel_image(0xffffffff)), StreamErrc::too_big);
}

TEST(BootFile, IsUnpackedIfItIsGzip) {
    const auto image = fake::xen_image();
    EXPECT_EQ(unpack(image), image);
    EXPECT_EQ(unpack(fake::gzip(image)), image);
    auto cut = fake::gzip(image);
    cut.resize(cut.size() - 9);
    EXPECT_THROW(unpack(cut), Error);
    auto bad = fake::gzip(image);
    bad[bad.size() - 5] ^= std::byte{1};
    EXPECT_THROW(unpack(bad), Error);
}

}  // namespace
}  // namespace roothammer
