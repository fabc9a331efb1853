// SPDX-License-Identifier: GPL-2.0-only
#include "hotplug/plug.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

namespace roothammer::hotplug {
namespace {

constexpr const char* connected = "connected";

// block-common.sh, canonicalise_mode: 'r', 'w', or '!' for no check at all.
char canonical_mode(const std::string& mode) {
    if (mode.find('w') == std::string::npos) return 'r';
    return mode.find('!') == std::string::npos ? 'w' : '!';
}

std::string in_hex(DeviceNumber number) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%x:%x", number.major, number.minor);
    return text.data();
}

class Plug {
  public:
    Plug(const Call& call, warmvm::Store& store, Devices& devices)
        : call_(call), store_(store), devices_(devices) {}

    std::optional<std::string> disk() {
        // The script may have been called before, and says so the same way.
        if (node("physical-device")) return std::nullopt;
        const auto path = node("params");
        const auto mode = node("mode");
        if (!path || !mode || path->empty() || path->front() != '/') return "not a plain disk";
        const auto number = devices_.block_device(*path);
        if (!number) return *path + " is not a block device";
        std::optional<std::string> trouble;
        devices_.with_block_lock([&] {
            trouble = shared(*number, canonical_mode(*mode));
            if (trouble) return;
            put("physical-device", in_hex(*number));
            put("physical-device-path", devices_.resolved(*path).string());
            put("hotplug-status", connected);
        });
        return trouble;
    }

    std::optional<std::string> network_card() {
        if (const auto name = node("vifname"); name && !name->empty())
            return "has a name of its own";
        const auto bridge = node("bridge");
        if (!bridge || bridge->empty()) return "names no bridge";
        if (!devices_.is_bridge(*bridge)) return *bridge + " is no bridge";
        const auto frontend = frontend_path();
        if (!frontend) return call_.vif + " is no name of a vif";
        unsigned mtu = devices_.mtu(*bridge);
        if (const auto own = node("mtu"); own && !own->empty()) {
            const auto* end = own->data() + own->size();
            const auto [at, error] = std::from_chars(own->data(), end, mtu);
            if (error != std::errc() || at != end || mtu == 0) return "MTU " + *own;
        }
        devices_.make_port(call_.vif, *bridge, mtu);
        store_.write(*frontend + "/mtu", std::to_string(mtu));
        put("hotplug-status", connected);
        return std::nullopt;
    }

  private:
    std::optional<std::string> node(const std::string& name) {
        return store_.read(call_.xenbus_path + "/" + name);
    }
    void put(const std::string& name, const std::string& value) {
        store_.write(call_.xenbus_path + "/" + name, value);
    }

    // Who has the disk in a way that does not go with this one. The script then says it its own
    // way, or knows that it is the same guest after all.
    std::optional<std::string> shared(DeviceNumber number, char mode) {
        if (mode == '!') return std::nullopt;
        for (const auto& mount : devices_.mounts()) {
            if (mode == 'r' && mount.read_only) continue;
            if (devices_.block_device(mount.source) == number) return "mounted in dom0";
        }
        const auto disks = call_.xenbus_base_path + "/vbd";
        for (const auto& domain : store_.list(disks)) {
            for (const auto& disk : store_.list(disks + "/" + domain)) {
                const auto path = disks + "/" + domain + "/" + disk;
                if (store_.read(path + "/physical-device") != in_hex(number)) continue;
                const auto other = store_.read(path + "/mode");
                if (mode == 'w' || canonical_mode(other.value_or("")) == 'w')
                    return "in use by a guest";
            }
        }
        return std::nullopt;
    }

    // vif1.0 -> /local/domain/1/device/vif/0
    [[nodiscard]] std::optional<std::string> frontend_path() const {
        unsigned domain = 0, device = 0;
        int length = 0;
        if (std::sscanf(call_.vif.c_str(), "vif%u.%u%n", &domain, &device, &length) != 2 ||
            static_cast<std::size_t>(length) != call_.vif.size()) {
            return std::nullopt;
        }
        return warmvm::domain_path(warmvm::DomId(domain), "device/vif/" + std::to_string(device));
    }

    const Call& call_;
    warmvm::Store& store_;
    Devices& devices_;
};

bool has_argument(const Call& call, const char* wanted) {
    return std::find(call.arguments.begin(), call.arguments.end(), wanted) != call.arguments.end();
}

}  // namespace

std::optional<std::string> plug(const Call& call, warmvm::Store& store, Devices& devices) {
    const auto name = call.script.filename();
    if (call.arguments.empty() || call.xenbus_path.empty()) return "not called as libxl does";
    const auto& command = call.arguments.front();
    Plug plug(call, store, devices);
    if (name == "block" && command == "add" && !call.xenbus_base_path.empty()) return plug.disk();
    if (name == "vif-bridge" && command == "online" && has_argument(call, "type_if=vif")) {
        return plug.network_card();
    }
    return "not for a plain device";
}

}  // namespace roothammer::hotplug
