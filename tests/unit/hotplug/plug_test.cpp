// SPDX-License-Identifier: GPL-2.0-only
// Plain devices are plugged in as the scripts do it; everything else is left to the scripts, and
// nothing is changed before that is certain.
#include <gtest/gtest.h>

#include <map>

#include "base/error.hpp"
#include "hotplug/plug.hpp"

namespace roothammer::hotplug {
namespace {

class FakeStore final : public warmvm::Store {
  public:
    std::optional<std::string> read(const std::string& path) override {
        const auto at = nodes.find(path);
        return at == nodes.end() ? std::nullopt : std::optional(at->second);
    }
    void write(const std::string& path, const std::string& value) override {
        if (path == refused) throw warmvm::Error::of(std::errc::io_error, path);
        nodes[path] = value;
        written.push_back(path + "=" + value);
    }
    std::vector<std::string> list(const std::string& path) override {
        std::vector<std::string> children;
        for (const auto& [node, value] : nodes) {
            if (!node.starts_with(path + "/")) continue;
            const auto rest = node.substr(path.size() + 1);
            const auto child = rest.substr(0, rest.find('/'));
            if (children.empty() || children.back() != child) children.push_back(child);
        }
        return children;
    }
    bool replace(const std::string&, const std::string&, const std::string&) override {
        return false;
    }
    void resume_domain(warmvm::DomId) override {}

    std::map<std::string, std::string> nodes;
    std::vector<std::string> written;
    std::string refused;
};

class FakeDevices final : public Devices {
  public:
    std::optional<DeviceNumber> block_device(const std::filesystem::path& path) override {
        const auto at = disks.find(path.string());
        return at == disks.end() ? std::nullopt : std::optional(at->second);
    }
    std::filesystem::path resolved(const std::filesystem::path& path) override {
        return path == "/dev/vg/web" ? "/dev/dm-3" : path;
    }
    std::vector<Mount> mounts() override { return mounted; }
    bool is_bridge(const std::string& name) override { return name == "xenbr0"; }
    unsigned mtu(const std::string&) override { return 9000; }
    void with_block_lock(const std::function<void()>& action) override {
        locked++;
        action();
    }
    void make_port(const std::string& interface, const std::string& bridge, unsigned mtu) override {
        ports.push_back(interface + " " + bridge + " " + std::to_string(mtu));
    }

    std::map<std::string, DeviceNumber> disks{{"/dev/vg/web", {253, 3}}, {"/dev/vdc", {254, 32}}};
    std::vector<Mount> mounted{{"proc", false}, {"/dev/vda", false}};
    std::vector<std::string> ports;
    int locked = 0;
};

using Lines = std::vector<std::string>;

class PlugTest : public ::testing::Test {
  protected:
    PlugTest() {
        store_.nodes = {{"backend/vbd/1/51712/params", "/dev/vg/web"},
                        {"backend/vbd/1/51712/mode", "w"},
                        {"backend/vif/1/0/bridge", "xenbr0"}};
    }
    std::optional<std::string> plug_disk() { return plug(disk_, store_, devices_); }
    std::optional<std::string> plug_card() { return plug(card_, store_, devices_); }

    FakeStore store_;
    FakeDevices devices_;
    Call disk_{"/etc/xen/scripts/block", {"add"}, "backend/vbd/1/51712", "backend", ""};
    Call card_{"/etc/xen/scripts/vif-bridge",
               {"online", "type_if=vif"},
               "backend/vif/1/0",
               "backend",
               "vif1.0"};
};

TEST_F(PlugTest, ADiskIsNamedByItsNumberThenConnected) {
    EXPECT_EQ(plug_disk(), std::nullopt);
    EXPECT_EQ(store_.written, (Lines{"backend/vbd/1/51712/physical-device=fd:3",
                                     "backend/vbd/1/51712/physical-device-path=/dev/dm-3",
                                     "backend/vbd/1/51712/hotplug-status=connected"}));
    EXPECT_EQ(devices_.locked, 1);
}

TEST_F(PlugTest, ADiskThatIsConnectedStaysAsItIs) {
    store_.nodes["backend/vbd/1/51712/physical-device"] = "fd:3";
    EXPECT_EQ(plug_disk(), std::nullopt);
    EXPECT_TRUE(store_.written.empty());
}

TEST_F(PlugTest, WhatIsNoBlockDeviceIsLeft) {
    for (const char* params : {"/srv/image.raw", "", "nbd:1", "vdc"}) {
        store_.nodes["backend/vbd/1/51712/params"] = params;
        EXPECT_NE(plug_disk(), std::nullopt) << params;
    }
    store_.nodes.erase("backend/vbd/1/51712/params");
    EXPECT_NE(plug_disk(), std::nullopt);
    EXPECT_TRUE(store_.written.empty());
}

TEST_F(PlugTest, ADiskMountedInDom0IsLeft) {
    devices_.mounted.push_back({"/dev/vg/web", true});
    EXPECT_EQ(plug_disk(), "mounted in dom0");
    EXPECT_TRUE(store_.written.empty());
    // Both only read it.
    store_.nodes["backend/vbd/1/51712/mode"] = "r";
    EXPECT_EQ(plug_disk(), std::nullopt);
}

TEST_F(PlugTest, ADiskThatAnotherGuestHasIsLeft) {
    struct Case {
        const char *ours, *theirs, *number;
        bool ok;
    };
    for (const auto& c : {Case{"w", "w", "fd:3", false}, Case{"w", "r", "fd:3", false},
                          Case{"r", "w", "fd:3", false}, Case{"r", "r", "fd:3", true},
                          Case{"w!", "w", "fd:3", true}, Case{"w", "w", "fd:4", true}}) {
        store_.nodes.erase("backend/vbd/1/51712/physical-device");
        store_.nodes["backend/vbd/1/51712/mode"] = c.ours;
        store_.nodes["backend/vbd/2/51712/mode"] = c.theirs;
        store_.nodes["backend/vbd/2/51712/physical-device"] = c.number;
        EXPECT_EQ(!plug_disk(), c.ok) << c.ours << c.theirs << c.number;
    }
}

TEST_F(PlugTest, ACardBecomesAPortOfItsBridge) {
    EXPECT_EQ(plug_card(), std::nullopt);
    EXPECT_EQ(devices_.ports, Lines{"vif1.0 xenbr0 9000"});
    EXPECT_EQ(store_.written, (Lines{"/local/domain/1/device/vif/0/mtu=9000",
                                     "backend/vif/1/0/hotplug-status=connected"}));
}

TEST_F(PlugTest, ACardMayHaveAnMtuOfItsOwn) {
    store_.nodes["backend/vif/1/0/mtu"] = "1400";
    EXPECT_EQ(plug_card(), std::nullopt);
    EXPECT_EQ(devices_.ports, Lines{"vif1.0 xenbr0 1400"});
    for (const char* mtu : {"0", "x", "1400x", "-1", "99999999999"}) {
        store_.nodes["backend/vif/1/0/mtu"] = mtu;
        EXPECT_NE(plug_card(), std::nullopt) << mtu;
    }
    EXPECT_EQ(devices_.ports.size(), 1u);
}

TEST_F(PlugTest, UnusualCardsAreLeft) {
    store_.nodes["backend/vif/1/0/bridge"] = "eth0";
    EXPECT_NE(plug_card(), std::nullopt);
    store_.nodes.erase("backend/vif/1/0/bridge");
    EXPECT_NE(plug_card(), std::nullopt);
    store_.nodes["backend/vif/1/0/bridge"] = "xenbr0";
    store_.nodes["backend/vif/1/0/vifname"] = "web0";
    EXPECT_NE(plug_card(), std::nullopt);
    store_.nodes.erase("backend/vif/1/0/vifname");
    for (const char* vif : {"", "vif1", "vif1.0-emu", "tap1.0"}) {
        card_.vif = vif;
        EXPECT_NE(plug_card(), std::nullopt) << vif;
    }
    EXPECT_TRUE(devices_.ports.empty());
    EXPECT_TRUE(store_.written.empty());
}

TEST_F(PlugTest, OnlyPluggingInIsDone) {
    disk_.arguments = {"remove"};
    EXPECT_NE(plug_disk(), std::nullopt);
    disk_.arguments = {};
    EXPECT_NE(plug_disk(), std::nullopt);
    card_.arguments = {"offline", "type_if=vif"};
    EXPECT_NE(plug_card(), std::nullopt);
    card_.arguments = {"add", "type_if=tap"};
    EXPECT_NE(plug_card(), std::nullopt);
    card_.script = "/etc/xen/scripts/vif-route";
    card_.arguments = {"online", "type_if=vif"};
    EXPECT_NE(plug_card(), std::nullopt);
    EXPECT_TRUE(store_.written.empty());
}

TEST_F(PlugTest, AFailureIsTheCallersToKnow) {
    store_.refused = "backend/vbd/1/51712/physical-device";
    EXPECT_THROW((void)plug_disk(), warmvm::Error);
    EXPECT_TRUE(store_.written.empty());
}

}  // namespace
}  // namespace roothammer::hotplug
