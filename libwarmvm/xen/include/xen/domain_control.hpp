// SPDX-License-Identifier: GPL-2.0-only
// Port: the host's domains as the hypervisor sees them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "xen/types.hpp"

namespace warmvm {

// SHUTDOWN_* of xen/include/public/sched.h.
enum class ShutdownReason : std::uint8_t {
    poweroff = 0,
    reboot = 1,
    suspend = 2,
    crash = 3,
    watchdog = 4,
    soft_reset = 5,
};

struct DomainInfo {
    DomId id;
    Uuid uuid;
    GuestKind kind{};
    bool paused = false;  // by the toolstack
    bool dying = false;
    std::optional<ShutdownReason> shutdown;
    std::uint32_t max_vcpu_id{};
    std::uint64_t frames{};
    Mfn shared_info;
    unsigned pv_width = 8;  // PV: octets of a word, 4 or 8
    [[nodiscard]] bool is_pv() const { return kind == GuestKind::pv; }
    [[nodiscard]] bool is_suspended() const { return shutdown == ShutdownReason::suspend; }
};

struct HypervisorVersion {
    int major{};
    int minor{};
    std::string extra;  // ".5"
    std::string commandline;
    std::string build_id;  // hex, empty if the hypervisor has none
    friend bool operator==(const HypervisorVersion&, const HypervisorVersion&) = default;
};

struct HostHardware {
    unsigned cpus = 1;
    std::uint64_t frames = 0;  // up to the last one, with what lies between
    bool hvm = false;          // it can run what is not PV
    bool iommu = false;        // one that Xen uses
};

class DomainControl {
  public:
    virtual ~DomainControl() = default;
    // All domains but dom0 and Xen's own.
    virtual std::vector<DomainInfo> list() = 0;
    virtual std::optional<DomainInfo> info(DomId domain) = 0;
    // Xen counts pauses and unpauses: a domain that was paused before stays so.
    virtual void pause(DomId domain) = 0;
    virtual void unpause(DomId domain) = 0;
    // Let a suspended domain go on where it stopped: the suspend hypercall returns 1, cancelled
    // (xc_domain_resume, cooperative). Its event channels and grants are as they were.
    virtual void resume_suspended(DomId domain) = 0;
    virtual HypervisorVersion version() = 0;
    virtual HostHardware hardware() = 0;
};

// hvm_guest: XEN_DOMINF_hvm_guest; emulation_flags: XEN_X86_EMU_*.
GuestKind kind_of(bool hvm_guest, std::uint32_t emulation_flags);

std::unique_ptr<DomainControl> open_domain_control();

// Throws Error (not_supported) unless the running hypervisor is of the version that the save-helper
// protocol was generated from.
void check_hypervisor_version(DomainControl& domains);

}  // namespace warmvm
