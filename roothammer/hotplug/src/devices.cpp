// SPDX-License-Identifier: GPL-2.0-only
#include "hotplug/devices.hpp"

#include <fcntl.h>
#include <linux/sockios.h>
#include <mntent.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/error.hpp"
#include "base/file.hpp"

namespace roothammer::hotplug {
namespace {

using warmvm::Error;
using warmvm::Fd;

class Interface {
  public:
    explicit Interface(const std::string& name)
        : name_(name), socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        if (!socket_.is_open()) throw Error::from_errno("socket");
        if (name.size() >= IFNAMSIZ) throw Error::of(std::errc::invalid_argument, name);
        std::copy(name.begin(), name.end(), std::begin(request_.ifr_name));
    }
    unsigned mtu() {
        ask(SIOCGIFMTU, "MTU");
        return static_cast<unsigned>(request_.ifr_mtu);
    }
    void set_mtu(unsigned mtu) {
        request_.ifr_mtu = static_cast<int>(mtu);
        // The script does not mind either: a card that does not take it works with what it has.
        (void)::ioctl(socket_.get(), SIOCSIFMTU, &request_);
    }
    void set_up(bool up) {
        ask(SIOCGIFFLAGS, "flags");
        const int flags = up ? request_.ifr_flags | IFF_UP : request_.ifr_flags & ~IFF_UP;
        request_.ifr_flags = static_cast<short>(flags);
        ask(SIOCSIFFLAGS, up ? "up" : "down");
    }
    // The numerically largest address that is no broadcast: no bridge takes it for its own.
    void set_port_address() {
        constexpr std::array<unsigned char, 6> address{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff};
        request_.ifr_hwaddr.sa_family = ARPHRD_ETHER;
        std::copy(address.begin(), address.end(), std::begin(request_.ifr_hwaddr.sa_data));
        (void)::ioctl(socket_.get(), SIOCSIFHWADDR, &request_);
    }
    void add_port(const std::string& port) {
        request_.ifr_ifindex = static_cast<int>(::if_nametoindex(port.c_str()));
        if (request_.ifr_ifindex == 0) throw Error::from_errno(port);
        ask(SIOCBRADDIF, "add " + port);
    }

  private:
    void ask(unsigned long what, const std::string& words) {
        if (::ioctl(socket_.get(), what, &request_) < 0)
            throw Error::from_errno(name_ + ": " + words);
    }

    std::string name_;
    Fd socket_;
    ifreq request_{};
};

const std::filesystem::path interfaces = "/sys/class/net";
const std::filesystem::path locks = "/run/xen-hotplug";

bool same_file(const struct stat& one, const struct stat& other) {
    return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

class LinuxDevices final : public Devices {
  public:
    std::optional<DeviceNumber> block_device(const std::filesystem::path& path) override {
        struct stat about {};
        if (::stat(path.c_str(), &about) < 0 || !S_ISBLK(about.st_mode)) return std::nullopt;
        return DeviceNumber{gnu_dev_major(about.st_rdev), gnu_dev_minor(about.st_rdev)};
    }
    std::filesystem::path resolved(const std::filesystem::path& path) override {
        return std::filesystem::canonical(path);
    }
    std::vector<Mount> mounts() override {
        const std::unique_ptr<FILE, int (*)(FILE*)> table(::setmntent("/proc/mounts", "r"),
                                                          ::endmntent);
        if (!table) throw Error::from_errno("/proc/mounts");
        std::vector<Mount> mounts;
        mntent entry{};
        std::array<char, 4096> text{};
        while (::getmntent_r(table.get(), &entry, text.data(), text.size())) {
            mounts.push_back({entry.mnt_fsname, ::hasmntopt(&entry, MNTOPT_RO) != nullptr});
        }
        return mounts;
    }
    bool is_bridge(const std::string& name) override {
        // A name with a slash in it would lead elsewhere.
        return name.find('/') == std::string::npos &&
               std::filesystem::exists(interfaces / name / "bridge");
    }
    unsigned mtu(const std::string& interface) override { return Interface(interface).mtu(); }

    void with_block_lock(const std::function<void()>& action) override {
        std::filesystem::create_directories(locks);
        const auto file = locks / "block";
        // The holder removes the file, so the lock counts if what is locked is still there.
        for (;;) {
            const auto lock = warmvm::open_file(file, O_RDWR | O_CREAT);
            if (::flock(lock.get(), LOCK_EX) < 0) throw Error::from_errno("flock " + file.string());
            struct stat there {
            }, ours{};
            if (::fstat(lock.get(), &ours) < 0) throw Error::from_errno("fstat " + file.string());
            if (::stat(file.c_str(), &there) < 0 || !same_file(there, ours)) continue;
            struct Unlink {
                const std::filesystem::path& file;
                ~Unlink() { ::unlink(file.c_str()); }
            } const unlink{file};
            action();
            return;
        }
    }

    void make_port(const std::string& name, const std::string& bridge, unsigned mtu) override {
        Interface port(name);
        port.set_up(false);
        port.set_port_address();
        port.set_mtu(mtu);
        if (!std::filesystem::exists(interfaces / bridge / "brif" / name)) {
            Interface(bridge).add_port(name);
        }
        port.set_up(true);
    }
};

}  // namespace

std::unique_ptr<Devices> open_devices() {
    return std::make_unique<LinuxDevices>();
}

}  // namespace roothammer::hotplug
