// SPDX-License-Identifier: GPL-2.0-only
// A guest's contexts through libxc, record for record what xg_sr_save_x86_*.c reads and
// xg_sr_restore_x86_*.c sets.
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "xen/guest_context.hpp"
#include "xen/hvm_param.hpp"
#include "xen_c.hpp"

namespace warmvm {
namespace {

static_assert(hvm_param::store_pfn == HVM_PARAM_STORE_PFN);
static_assert(hvm_param::ioreq_pfn == HVM_PARAM_IOREQ_PFN);
static_assert(hvm_param::bufioreq_pfn == HVM_PARAM_BUFIOREQ_PFN);
static_assert(hvm_param::paging_ring_pfn == HVM_PARAM_PAGING_RING_PFN);
static_assert(hvm_param::monitor_ring_pfn == HVM_PARAM_MONITOR_RING_PFN);
static_assert(hvm_param::sharing_ring_pfn == HVM_PARAM_SHARING_RING_PFN);
static_assert(hvm_param::vm86_tss_sized == HVM_PARAM_VM86_TSS_SIZED);
static_assert(hvm_param::console_pfn == HVM_PARAM_CONSOLE_PFN);
static_assert(hvm_param::acpi_ioports_location == HVM_PARAM_ACPI_IOPORTS_LOCATION);
static_assert(hvm_param::viridian == HVM_PARAM_VIRIDIAN);
static_assert(hvm_param::ident_pt == HVM_PARAM_IDENT_PT);
static_assert(hvm_param::vm_generation_id_addr == HVM_PARAM_VM_GENERATION_ID_ADDR);
static_assert(hvm_param::ioreq_server_pfn == HVM_PARAM_IOREQ_SERVER_PFN);
static_assert(hvm_param::nr_ioreq_server_pages == HVM_PARAM_NR_IOREQ_SERVER_PAGES);
static_assert(hvm_param::x87_fip_width == HVM_PARAM_X87_FIP_WIDTH);
static_assert(hvm_param::store_evtchn == HVM_PARAM_STORE_EVTCHN);
static_assert(hvm_param::console_evtchn == HVM_PARAM_CONSOLE_EVTCHN);
static_assert(hvm_param::mca_cap == HVM_PARAM_MCA_CAP);

constexpr std::size_t pin_batch = 1024;

std::string name(const char* call, DomId domain, VcpuId vcpu) {
    return std::string(call) + "(dom" + std::to_string(domain.value()) + " vcpu" +
           std::to_string(vcpu.value()) + ")";
}

struct PolicyCloser {
    void operator()(xc_cpu_policy_t* policy) const noexcept { xc_cpu_policy_destroy(policy); }
};
using PolicyHandle = std::unique_ptr<xc_cpu_policy_t, PolicyCloser>;

template <class T>
Bytes bytes_of(const std::vector<T>& elements, std::uint32_t count) {
    Bytes bytes(count * sizeof(T));
    if (count) std::memcpy(bytes.data(), elements.data(), bytes.size());
    return bytes;
}

template <class T>
std::vector<T> elements_of(ByteView bytes, const char* what) {
    if (bytes.size() % sizeof(T)) throw Error(StreamErrc::bad_length, what);
    std::vector<T> elements(bytes.size() / sizeof(T));
    if (!elements.empty()) std::memcpy(elements.data(), bytes.data(), bytes.size());
    return elements;
}

class XenGuestContext final : public GuestContext {
  public:
    XenGuestContext()
        : xc_(open_xc()), call_(owned<XencallHandle>(xencall_open(nullptr, 0), "xencall_open")) {}

    CpuPolicy cpu_policy(DomId domain) override {
        std::uint32_t leaves = 0;
        std::uint32_t msrs = 0;
        check_xc(xc_cpu_policy_get_size(xc_.get(), &leaves, &msrs), "xc_cpu_policy_get_size");
        std::vector<xen_cpuid_leaf_t> leaf(leaves);
        std::vector<xen_msr_entry_t> msr(msrs);
        const PolicyHandle policy(xc_cpu_policy_init());
        if (!policy) throw Error::from_errno("xc_cpu_policy_init");
        if (xc_cpu_policy_get_domain(xc_.get(), domain.value(), policy.get())) {
            throw Error::from_errno(name("xc_cpu_policy_get_domain", domain));
        }
        if (xc_cpu_policy_serialise(xc_.get(), policy.get(), leaf.data(), &leaves, msr.data(),
                                    &msrs)) {
            throw Error::from_errno(name("xc_cpu_policy_serialise", domain));
        }
        return {bytes_of(leaf, leaves), bytes_of(msr, msrs)};
    }

    void set_cpu_policy(DomId domain, const CpuPolicy& policy) override {
        auto leaf = elements_of<xen_cpuid_leaf_t>(policy.cpuid, "X86_CPUID_POLICY");
        auto msr = elements_of<xen_msr_entry_t>(policy.msrs, "X86_MSR_POLICY");
        std::uint32_t bad_leaf = 0;
        std::uint32_t bad_subleaf = 0;
        std::uint32_t bad_msr = 0;
        if (xc_set_domain_cpu_policy(xc_.get(), domain.value(),
                                     static_cast<std::uint32_t>(leaf.size()), leaf.data(),
                                     static_cast<std::uint32_t>(msr.size()), msr.data(), &bad_leaf,
                                     &bad_subleaf, &bad_msr)) {
            throw Error::from_errno(
                name("xc_set_domain_cpu_policy", domain) + ": leaf " + std::to_string(bad_leaf) +
                ", subleaf " + std::to_string(bad_subleaf) + ", msr " + std::to_string(bad_msr));
        }
    }

    TscInfo tsc_info(DomId domain) override {
        TscInfo tsc;
        check_xc(xc_domain_get_tsc_info(xc_.get(), domain.value(), &tsc.mode, &tsc.nsec, &tsc.khz,
                                        &tsc.incarnation),
                 name("xc_domain_get_tsc_info", domain));
        return tsc;
    }

    void set_tsc_info(DomId domain, const TscInfo& tsc) override {
        check_xc(xc_domain_set_tsc_info(xc_.get(), domain.value(), tsc.mode, tsc.nsec, tsc.khz,
                                        tsc.incarnation),
                 name("xc_domain_set_tsc_info", domain));
    }

    Bytes hvm_context(DomId domain) override {
        const auto call = name("xc_domain_hvm_getcontext", domain);
        const int room =
            check_xc(xc_domain_hvm_getcontext(xc_.get(), domain.value(), nullptr, 0), call);
        Bytes context(static_cast<std::size_t>(room));
        const int got =
            check_xc(xc_domain_hvm_getcontext(xc_.get(), domain.value(),
                                              reinterpret_cast<std::uint8_t*>(context.data()),
                                              static_cast<std::uint32_t>(room)),
                     call);
        context.resize(static_cast<std::size_t>(got));
        return context;
    }

    void set_hvm_context(DomId domain, ByteView context) override {
        Bytes copy(context.begin(), context.end());
        check_xc(xc_domain_hvm_setcontext(xc_.get(), domain.value(),
                                          reinterpret_cast<std::uint8_t*>(copy.data()),
                                          static_cast<std::uint32_t>(copy.size())),
                 name("xc_domain_hvm_setcontext", domain));
    }

    std::uint64_t hvm_param(DomId domain, std::uint64_t index) override {
        std::uint64_t value = 0;
        check_xc(
            xc_hvm_param_get(xc_.get(), domain.value(), static_cast<std::uint32_t>(index), &value),
            name("xc_hvm_param_get", domain) + " " + std::to_string(index));
        return value;
    }

    void set_hvm_param(DomId domain, const HvmParam& param) override {
        check_xc(xc_hvm_param_set(xc_.get(), domain.value(),
                                  static_cast<std::uint32_t>(param.index), param.value),
                 name("xc_hvm_param_set", domain) + " " + std::to_string(param.index));
    }

    unsigned pv_width(DomId domain) override {
        unsigned width = 0;
        check_xc(xc_domain_get_guest_width(xc_.get(), domain.value(), &width),
                 name("xc_domain_get_guest_width", domain));
        return width;
    }

    std::optional<VcpuContext> vcpu(DomId domain, VcpuId vcpu) override {
        xc_vcpuinfo_t info{};
        check_xc(xc_vcpu_getinfo(xc_.get(), domain.value(), vcpu.value(), &info),
                 name("xc_vcpu_getinfo", domain, vcpu));
        if (!info.online) return std::nullopt;

        VcpuContext context;
        vcpu_guest_context_any_t any{};
        check_xc(xc_vcpu_getcontext(xc_.get(), domain.value(), vcpu.value(), &any),
                 name("xc_vcpu_getcontext", domain, vcpu));
        append(context.basic, any.x64);

        auto extended = domctl(XEN_DOMCTL_get_ext_vcpucontext, domain);
        extended.u.ext_vcpucontext.vcpu = vcpu.value();
        run(extended, name("get_ext_vcpucontext", domain, vcpu));
        append(context.extended, extended.u.ext_vcpucontext);
        context.extended.resize(
            std::min<std::size_t>(context.extended.size(), extended.u.ext_vcpucontext.size));

        context.xsave = xsave(domain, vcpu);
        context.msrs = msrs(domain, vcpu);
        return context;
    }

    void set_vcpu(DomId domain, VcpuId vcpu, const VcpuContext& context) override {
        vcpu_guest_context_any_t any{};
        if (context.basic.size() != sizeof(any.x64)) {
            throw Error(StreamErrc::bad_length, "X86_PV_VCPU_BASIC");
        }
        std::memcpy(&any.x64, context.basic.data(), sizeof(any.x64));
        check_xc(xc_vcpu_setcontext(xc_.get(), domain.value(), vcpu.value(), &any),
                 name("xc_vcpu_setcontext", domain, vcpu));

        if (!context.extended.empty()) {
            auto request = domctl(XEN_DOMCTL_set_ext_vcpucontext, domain);
            if (context.extended.size() > sizeof(request.u.ext_vcpucontext)) {
                throw Error(StreamErrc::bad_length, "X86_PV_VCPU_EXTENDED");
            }
            std::memcpy(&request.u.ext_vcpucontext, context.extended.data(),
                        context.extended.size());
            request.u.ext_vcpucontext.vcpu = vcpu.value();
            run(request, name("set_ext_vcpucontext", domain, vcpu));
        }
        if (!context.xsave.empty()) {
            const HypercallBuffer buffer(call_.get(), context.xsave.size());
            std::memcpy(buffer.get(), context.xsave.data(), context.xsave.size());
            auto request = domctl(XEN_DOMCTL_setvcpuextstate, domain);
            request.u.vcpuextstate.vcpu = vcpu.value();
            request.u.vcpuextstate.size = context.xsave.size();
            request.u.vcpuextstate.buffer.p = buffer.as<std::uint64_t>();
            run(request, name("setvcpuextstate", domain, vcpu));
        }
        if (!context.msrs.empty()) {
            if (context.msrs.size() % sizeof(xen_domctl_vcpu_msr_t)) {
                throw Error(StreamErrc::bad_length, "X86_PV_VCPU_MSRS");
            }
            const HypercallBuffer buffer(call_.get(), context.msrs.size());
            std::memcpy(buffer.get(), context.msrs.data(), context.msrs.size());
            auto request = domctl(XEN_DOMCTL_set_vcpu_msrs, domain);
            request.u.vcpu_msrs.vcpu = vcpu.value();
            request.u.vcpu_msrs.msr_count =
                static_cast<std::uint32_t>(context.msrs.size() / sizeof(xen_domctl_vcpu_msr_t));
            request.u.vcpu_msrs.msrs.p = buffer.as<xen_domctl_vcpu_msr_t>();
            run(request, name("set_vcpu_msrs", domain, vcpu));
        }
    }

    void pin(DomId domain, const std::vector<PageTablePin>& tables) override {
        std::vector<mmuext_op> ops;
        for (std::size_t done = 0; done < tables.size(); done += ops.size()) {
            ops.clear();
            for (auto i = done; i < tables.size() && ops.size() < pin_batch; ++i) {
                mmuext_op op{};
                op.cmd = MMUEXT_PIN_L1_TABLE + tables[i].level - 1;
                op.arg1.mfn = tables[i].mfn.value();
                ops.push_back(op);
            }
            check_xc(xc_mmuext_op(xc_.get(), ops.data(), static_cast<unsigned>(ops.size()),
                                  domain.value()),
                     name("pinning page tables", domain));
        }
    }

    void seed_grant_table(DomId domain, const GrantTableSeed& seed) override {
        check_xc(xc_dom_gnttab_seed(xc_.get(), domain.value(), !seed.is_pv, seed.console_gfn,
                                    seed.store_gfn, seed.console_domid.value(),
                                    seed.store_domid.value()),
                 name("xc_dom_gnttab_seed", domain));
    }

  private:
    Bytes xsave(DomId domain, VcpuId vcpu) {
        auto request = domctl(XEN_DOMCTL_getvcpuextstate, domain);
        request.u.vcpuextstate.vcpu = vcpu.value();
        run(request, name("getvcpuextstate", domain, vcpu));
        if (!request.u.vcpuextstate.xfeature_mask || !request.u.vcpuextstate.size) return {};
        const HypercallBuffer buffer(call_.get(), request.u.vcpuextstate.size);
        request.u.vcpuextstate.buffer.p = buffer.as<std::uint64_t>();
        run(request, name("getvcpuextstate", domain, vcpu));
        const auto* first = buffer.as<std::byte>();
        return {first, first + request.u.vcpuextstate.size};
    }

    Bytes msrs(DomId domain, VcpuId vcpu) {
        auto request = domctl(XEN_DOMCTL_get_vcpu_msrs, domain);
        request.u.vcpu_msrs.vcpu = vcpu.value();
        run(request, name("get_vcpu_msrs", domain, vcpu));
        if (!request.u.vcpu_msrs.msr_count) return {};
        const auto room = request.u.vcpu_msrs.msr_count * sizeof(xen_domctl_vcpu_msr_t);
        const HypercallBuffer buffer(call_.get(), room);
        request.u.vcpu_msrs.msrs.p = buffer.as<xen_domctl_vcpu_msr_t>();
        run(request, name("get_vcpu_msrs", domain, vcpu));
        const auto* first = buffer.as<std::byte>();
        return {first, first + request.u.vcpu_msrs.msr_count * sizeof(xen_domctl_vcpu_msr_t)};
    }

    static xen_domctl domctl(std::uint32_t command, DomId domain) {
        xen_domctl request{};
        request.cmd = command;
        request.domain = static_cast<domid_t>(domain.value());
        return request;
    }

    void run(xen_domctl& request, const std::string& what) {
        check_xc(xc_domctl(xc_.get(), &request), what);
    }

    XcHandle xc_;
    XencallHandle call_;
};

}  // namespace

std::unique_ptr<GuestContext> open_guest_context() {
    return std::make_unique<XenGuestContext>();
}

}  // namespace warmvm
