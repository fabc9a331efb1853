// SPDX-License-Identifier: GPL-2.0-only
#include "preflight/dom0_kernel.hpp"

#include <gtest/gtest.h>

#include "boot_files.hpp"
#include "preflight/kernel_notes.hpp"
#include "preflight/unpack.hpp"
#include "preflight/xen_image.hpp"

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
    EXPECT_EQ(failure(inspect_xen, fake::kernel_image(fake::kernel_elf())), StreamErrc::bad_magic);
    EXPECT_EQ(failure(inspect_xen, warmvm::as_byte_view("#!/bin/sh")), StreamErrc::bad_magic);
    auto no_multiboot = fake::xen_image();
    no_multiboot[0x210] = {};
    EXPECT_EQ(failure(inspect_xen, no_multiboot), StreamErrc::bad_magic);
    EXPECT_EQ(failure(inspect_xen, fake::xen_image(4096, 8192, false)), StreamErrc::missing_record);
    EXPECT_EQ(failure(inspect_xen, fake::xen_image(4096, 100)), StreamErrc::bad_value);
    EXPECT_EQ(failure(inspect_xen, fake::xen_image(4096, std::size_t{1} << 40)),
              StreamErrc::bad_value);
}

// Such as Debian's own, which lies in /boot too.
TEST(XenImage, RefusesAHypervisorThatWouldLoseTheGuests) {
    auto stock = fake::xen_image();
    ASSERT_EQ(stock[0x300], std::byte{'p'});
    stock[0x30e] = std::byte{'_'};
    EXPECT_EQ(failure(inspect_xen, stock), StreamErrc::missing_record);
    auto longer = fake::xen_image();
    longer[0x30f] = std::byte{'s'};
    EXPECT_EQ(failure(inspect_xen, longer), StreamErrc::missing_record);
}

// Never unpacked: what is there beside the first bytes and the length does not matter.
Bytes payload(std::uint16_t magic, std::uint32_t unpacked) {
    Bytes bytes(2044);
    warmvm::store_at(std::span(bytes), 0, magic);
    return fake::with_length(std::move(bytes), unpacked);
}

TEST(Dom0Kernel, NeedsHeadroomAsXenReckonsIt) {
    constexpr std::uint32_t unpacked = 30u << 20;
    // bzimage_headroom(): output + output / 4096 + 32 KB + 18, whole pages
    const std::uint64_t gzip = (unpacked + (unpacked >> 12) + 32768 + 18 + 4095) & ~4095ull;
    EXPECT_EQ(inspect_kernel(fake::kernel_image(payload(0x8b1f, unpacked))).headroom_bytes, gzip);
    // others: output + input
    EXPECT_EQ(inspect_kernel(fake::kernel_image(payload(0x37fd, unpacked))).headroom_bytes,
              (unpacked + 2048u + 4095u) & ~4095u);
    EXPECT_EQ(inspect_kernel(fake::xen_image()).headroom_bytes, 0u);
}

TEST(Dom0Kernel, RefusesWhatIsNoKernel) {
    const auto good = fake::kernel_image(payload(0x8b1f, 1 << 20));
    auto old = good;
    old[0x206] = std::byte{7};
    EXPECT_EQ(failure(inspect_kernel, old), StreamErrc::bad_version);
    EXPECT_EQ(failure(inspect_kernel, ByteView(good).first(good.size() - 1)),
              StreamErrc::truncated);
    EXPECT_EQ(failure(inspect_kernel, ByteView(good).first(100)), StreamErrc::bad_magic);
    EXPECT_EQ(failure(inspect_kernel, fake::kernel_image(payload(0x8b1f, 0xffffffff))),
              StreamErrc::too_big);
}

std::vector<Bytes> packed_kernels(ByteView kernel) {
    const auto length = static_cast<std::uint32_t>(kernel.size());
    return {fake::gzip(kernel), fake::with_length(fake::xz(kernel), length),
            fake::with_length(fake::zstd(kernel), length)};
}

TEST(UnpackedKernel, ComesOutOfEveryPacking) {
    const auto kernel = fake::kernel_elf(100'000);
    for (const auto& packed : packed_kernels(kernel)) {
        EXPECT_EQ(unpacked_kernel(fake::kernel_image(packed)), kernel);
    }
}

TEST(UnpackedKernel, WhatNeedsNoneOrIsUnknownIsLeftToXen) {
    EXPECT_TRUE(unpacked_kernel(fake::kernel_elf()).empty());
    EXPECT_TRUE(unpacked_kernel(fake::kernel_image(fake::kernel_elf())).empty());
    EXPECT_TRUE(unpacked_kernel(fake::kernel_image(payload(0x5a42, 1 << 20))).empty());
}

TEST(UnpackedKernel, RefusesEveryTruncationAndEveryOtherLength) {
    const auto kernel = fake::kernel_elf(20'000);
    for (const auto& packed : packed_kernels(kernel)) {
        const auto length = static_cast<std::uint32_t>(kernel.size());
        for (std::size_t size = 20; size + 4 < packed.size(); ++size) {
            Bytes cut(packed.begin(), packed.begin() + static_cast<std::ptrdiff_t>(size));
            const auto image = fake::kernel_image(fake::with_length(std::move(cut), length));
            EXPECT_THROW((void)unpacked_kernel(image), Error) << size;
        }
        for (const auto other : {length - 1, length + 1, 1u, 0u}) {
            auto lies = packed;
            warmvm::store_at(std::span(lies), lies.size() - 4, other);
            EXPECT_THROW((void)unpacked_kernel(fake::kernel_image(lies)), Error) << other;
        }
    }
}

TEST(UnpackedKernel, RefusesDamageAndWhatIsNoElfFile) {
    auto kernel = fake::kernel_elf(20'000);
    for (std::size_t i = 0x300; i < kernel.size(); ++i) kernel[i] = std::byte(i * i >> 3);
    for (const auto& good : packed_kernels(kernel)) {
        std::size_t tries = 0;
        std::size_t refused = 0;
        for (std::size_t at = 0; at < good.size(); at += 7, ++tries) {
            auto packed = good;
            packed[at] ^= std::byte{0x24};
            const auto image = fake::kernel_image(packed);
            try {  // what no packer needs (gzip's time of day, padding) may change; nothing else
                const auto out = unpacked_kernel(image);
                EXPECT_TRUE(out.empty() || out == kernel) << at;
            } catch (const Error&) {
                ++refused;
            }
        }
        EXPECT_GT(refused, tries - 5);
    }
    for (const auto& packed : packed_kernels(Bytes(5000, std::byte{1}))) {
        EXPECT_EQ(failure(unpacked_kernel, fake::kernel_image(packed)), StreamErrc::bad_value);
    }
}

TEST(StartsAsPvh, IsToldByXensNoteAndByNoOther) {
    constexpr std::uint32_t phys32_entry = 18;
    EXPECT_EQ(starts_as_pvh(fake::kernel_elf_with_note(phys32_entry)), true);
    EXPECT_EQ(starts_as_pvh(fake::kernel_elf_with_note(phys32_entry - 1)), false);
    EXPECT_EQ(starts_as_pvh(fake::kernel_elf()), false);
    EXPECT_EQ(starts_as_pvh(fake::kernel_image(fake::gzip(fake::kernel_elf()))), std::nullopt);
}

TEST(StartsAsPvh, SaysNoOrThrowsAtEveryTruncation) {
    const auto kernel = fake::kernel_elf_with_note(18);
    for (std::size_t size = 4; size < 0x200 + 24 + 16; ++size) {
        try {
            EXPECT_EQ(starts_as_pvh(warmvm::ByteView(kernel).first(size)), false) << size;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), make_error_code(StreamErrc::truncated));
        }
    }
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
