// SPDX-License-Identifier: GPL-2.0-only
#include "roothammer/real_host.hpp"

#include <cstdlib>

#include "base/error.hpp"
#include "base/file.hpp"

namespace roothammer {
namespace {

// <prefix>/sbin/roothammer has its helper in <prefix>/libexec/roothammer, a build tree beside
// itself.
std::filesystem::path save_helper() {
    if (const char* path = std::getenv("ROOTHAMMER_SAVE_HELPER")) return path;
    const auto folder = std::filesystem::read_symlink("/proc/self/exe").parent_path();
    constexpr const char* name = "warmvm-save-helper";
    for (const auto& path : {folder.parent_path() / "libexec/roothammer" / name, folder / name}) {
        if (std::filesystem::exists(path)) return path;
    }
    throw warmvm::Error::of(std::errc::no_such_file_or_directory, name);
}

bool in_a_pv_dom0() {
    const std::filesystem::path type = "/sys/hypervisor/guest_type";
    return !std::filesystem::exists(type) || warmvm::read_text_file(type) == "PV\n";
}

std::filesystem::path kexec_preload() {
    return in_a_pv_dom0() ? "" : save_helper().parent_path() / "kexec-on-pvh.so";
}

struct Ports {
    std::unique_ptr<warmvm::DomainControl> domains = warmvm::open_domain_control();
    std::unique_ptr<warmvm::PreservedMemory> preserved = warmvm::open_preserved_memory();
    std::unique_ptr<warmvm::Store> store = warmvm::open_store();
    std::unique_ptr<warmvm::Kexec> kexec = warmvm::open_kexec("kexec", kexec_preload());
    std::unique_ptr<warmvm::Toolstack> toolstack = warmvm::open_xl(save_helper());
    std::unique_ptr<System> system = open_system();
    Host host{*domains, *preserved, *store, *kexec, *toolstack, *system, {}};
};

}  // namespace

HostSource real_host() {
    return {Paths{}, []() -> const Host& {
                static const Ports ports;
                return ports.host;
            }};
}

}  // namespace roothammer
