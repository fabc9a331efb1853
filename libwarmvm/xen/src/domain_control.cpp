// SPDX-License-Identifier: GPL-2.0-only
#include <array>

#include "base/hex.hpp"
#include "xen/domain_control.hpp"
#include "xen/save_helper_codes.hpp"
#include "xen/save_helper_protocol.hpp"
#include "xen_c.hpp"

namespace warmvm {
namespace {

static_assert(XEN_DOMCTL_INTERFACE_VERSION == save_helper::domctl_version,
              "libxen-dev and the Xen source are of different versions");
static_assert(XEN_SYSCTL_INTERFACE_VERSION == save_helper::sysctl_version,
              "libxen-dev and the Xen source are of different versions");

static_assert(save_helper::flag_live == XCFLAGS_LIVE);
static_assert(save_helper::log_level_error == XTL_ERROR);
static_assert(static_cast<int>(StreamKind::plain) == XC_STREAM_PLAIN);
static_assert(static_cast<int>(StreamKind::remus) == XC_STREAM_REMUS);
static_assert(static_cast<int>(StreamKind::colo) == XC_STREAM_COLO);

constexpr std::uint32_t first_reserved_domid = 0x7ff0;  // DOMID_FIRST_RESERVED

DomainInfo to_info(const xc_domaininfo_t& raw) {
    DomainInfo info;
    info.id = DomId(raw.domain);
    std::copy(std::begin(raw.handle), std::end(raw.handle), info.uuid.bytes.begin());
    info.kind = kind_of(raw.flags & XEN_DOMINF_hvm_guest, raw.arch_config.emulation_flags);
    info.paused = raw.flags & XEN_DOMINF_paused;
    info.dying = raw.flags & XEN_DOMINF_dying;
    if (raw.flags & XEN_DOMINF_shutdown) {
        info.shutdown = static_cast<ShutdownReason>((raw.flags >> XEN_DOMINF_shutdownshift) &
                                                    XEN_DOMINF_shutdownmask);
    }
    info.max_vcpu_id = raw.max_vcpu_id;
    info.frames = raw.tot_pages;
    info.shared_info = Mfn(raw.shared_info_frame);
    return info;
}

class XenDomainControl final : public DomainControl {
  public:
    XenDomainControl() : xc_(open_xc()) {}

    std::vector<DomainInfo> list() override {
        constexpr unsigned batch = 256;
        std::vector<DomainInfo> domains;
        std::vector<xc_domaininfo_t> raw(batch);
        for (std::uint32_t next = 1;;) {
            const int got = check_xc(xc_domain_getinfolist(xc_.get(), next, batch, raw.data()),
                                     "xc_domain_getinfolist");
            for (int i = 0; i < got; ++i) {
                const auto& domain = raw[static_cast<std::size_t>(i)];
                if (domain.domain < first_reserved_domid) domains.push_back(look_at(domain));
                next = domain.domain + 1u;
            }
            if (static_cast<unsigned>(got) < batch) return domains;
        }
    }

    std::optional<DomainInfo> info(DomId domain) override {
        xc_domaininfo_t raw{};
        const int got = check_xc(xc_domain_getinfolist(xc_.get(), domain.value(), 1, &raw),
                                 name("xc_domain_getinfolist", domain));
        if (got != 1 || raw.domain != domain.value()) return std::nullopt;
        return look_at(raw);
    }

    void pause(DomId domain) override {
        check_xc(xc_domain_pause(xc_.get(), domain.value()), name("xc_domain_pause", domain));
    }

    void unpause(DomId domain) override {
        check_xc(xc_domain_unpause(xc_.get(), domain.value()), name("xc_domain_unpause", domain));
    }

    void resume_suspended(DomId domain) override {
        check_xc(xc_domain_resume(xc_.get(), domain.value(), 1), name("xc_domain_resume", domain));
    }

    HypervisorVersion version() override {
        const int number = check_xc(xc_version(xc_.get(), XENVER_version, nullptr), "xc_version");
        HypervisorVersion version{number >> 16, number & 0xffff, {}, {}, {}};
        xen_extraversion_t extra{};
        check_xc(xc_version(xc_.get(), XENVER_extraversion, &extra), "xc_version");
        version.extra = extra;
        xen_commandline_t commandline{};
        check_xc(xc_version(xc_.get(), XENVER_commandline, &commandline), "xc_version");
        version.commandline = commandline;
        constexpr std::uint32_t max_build_id = 64;
        std::array<std::byte, sizeof(xen_build_id_t) + max_build_id> room{};
        auto* build_id = reinterpret_cast<xen_build_id_t*>(room.data());
        build_id->len = max_build_id;
        const int length = xc_version(xc_.get(), XENVER_build_id, build_id);
        if (length > 0) {
            version.build_id = hex(
                ByteView(room).subspan(sizeof(xen_build_id_t), static_cast<std::size_t>(length)));
        }
        return version;
    }

    HostHardware hardware() override {
        xc_physinfo_t info{};
        check_xc(xc_physinfo(xc_.get(), &info), "xc_physinfo");
        return {info.nr_cpus, info.max_mfn + 1, (info.capabilities & XEN_SYSCTL_PHYSCAP_hvm) != 0,
                (info.capabilities & XEN_SYSCTL_PHYSCAP_directio) != 0};
    }

  private:
    DomainInfo look_at(const xc_domaininfo_t& raw) {
        auto info = to_info(raw);
        // Fails for a domain that is gone by now, whose width is nobody's concern.
        unsigned width = 0;
        if (info.is_pv() && xc_domain_get_guest_width(xc_.get(), raw.domain, &width) == 0) {
            info.pv_width = width;
        }
        return info;
    }

    XcHandle xc_;
};

}  // namespace

GuestKind kind_of(bool hvm_guest, std::uint32_t emulation_flags) {
    if (!hvm_guest) return GuestKind::pv;
    return emulation_flags & ~XEN_X86_EMU_LAPIC ? GuestKind::hvm : GuestKind::pvh;
}

std::unique_ptr<DomainControl> open_domain_control() {
    return std::make_unique<XenDomainControl>();
}

void check_hypervisor_version(DomainControl& domains) {
    const auto running = domains.version();
    if (running.major == save_helper::xen_major && running.minor == save_helper::xen_minor) return;
    throw Error::of(std::errc::not_supported,
                    "this program was built for Xen " + std::to_string(save_helper::xen_major) +
                        "." + std::to_string(save_helper::xen_minor) + " and Xen " +
                        std::to_string(running.major) + "." + std::to_string(running.minor) +
                        " is running: libxl's save-helper protocol may differ");
}

}  // namespace warmvm
