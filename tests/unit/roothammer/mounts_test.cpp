// SPDX-License-Identifier: GPL-2.0-only
#include "host/mounts.hpp"

#include <gtest/gtest.h>
#include <sys/mount.h>

#include <algorithm>

namespace roothammer {
namespace {

constexpr const char* mountinfo =
    "21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro\n"
    "22 21 0:5 / /proc rw,nosuid,nodev,noexec - proc proc rw\n"
    "23 21 8:2 /srv/data /export ro,nosuid,nosymfollow,relatime master:3 - ext4 /dev/sda2 rw\n"
    "24 21 8:2 / /var/my\\040tmp rw,nosuid,nodev,noexec,noatime shared:2 - ext4 /dev/sda2 "
    "rw,lazytime\n"
    "25 21 8:3 / /usr ro,relatime - squashfs /dev/sda3 ro\n"
    "26 21 8:4 /only /export2 ro,nodev,nodiratime - xfs /dev/sda4 rw,sync\n"
    "27 21 8:5\n";

TEST(Mounts, AreThoseOfBlockDevices) {
    const auto mounts = block_mounts(mountinfo);
    ASSERT_EQ(mounts.size(), 5u);
    EXPECT_EQ(mounts[0], (Mount{"8:1", "/", true, MS_RELATIME, false}));
    EXPECT_EQ(mounts[1],
              (Mount{"8:2", "/export", true, MS_NOSUID | MS_NOSYMFOLLOW | MS_RELATIME, true}));
    EXPECT_EQ(mounts[2],
              (Mount{"8:2", "/var/my\\040tmp", true,
                     MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_LAZYTIME, false}));
    EXPECT_FALSE(mounts[3].writable);
    EXPECT_EQ(mounts[4], (Mount{"8:4", "/export2", true,
                                MS_NODEV | MS_NODIRATIME | MS_SYNCHRONOUS | MS_STRICTATIME, true}));
}

TEST(Mounts, EachFileSystemIsPutBackByAMountThatIsWritableIfThereIsOne) {
    const auto chosen = to_be_put_back(block_mounts(mountinfo));
    ASSERT_EQ(chosen.size(), 3u);
    EXPECT_EQ(chosen[0].point, "/");
    EXPECT_EQ(chosen[1].point, "/var/my\\040tmp");
    EXPECT_EQ(chosen[2].point, "/export2");
}

TEST(Mounts, AreReadBackAsTheyWereWritten) {
    const auto chosen = to_be_put_back(block_mounts(mountinfo));
    EXPECT_EQ(mounts_from_text(to_text(chosen)), chosen);
    EXPECT_TRUE(mounts_from_text("8:1 x rw /\n\n8:1 1\n").empty());
}

TEST(Mounts, APointIsAPathWithOctalEscapes) {
    EXPECT_EQ(unescape("/var/my\\040tmp\\134"), "/var/my tmp\\");
    EXPECT_EQ(unescape("/a\\04"), "/a\\04");
}

}  // namespace
}  // namespace roothammer
