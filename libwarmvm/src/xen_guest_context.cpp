// SPDX-License-Identifier: GPL-2.0-only
// A guest's contexts through libxc, record for record what xg_sr_save_x86_*.c reads and
// xg_sr_restore_x86_*.c sets.
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "warmvm/guest_context.hpp"
#include "xen_c.hpp"

namespace warmvm {
namespace {

constexpr std::size_t pin_batch = 1024;
constexpr std::size_t map_batch = 1024;
constexpr std::size_t m2p_chunk = std::size_t{2} << 20;
constexpr std::uint64_t no_pfn = std::uint64_t{1} << 63;  // INVALID_M2P_ENTRY, SHARED_M2P_ENTRY

std::string name(const char* call, DomId domain) {
    return std::string(call) + "(dom" + std::to_string(domain.value()) + ")";
}
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
        const auto policy = owned<PolicyHandle>(xc_cpu_policy_init(), "xc_cpu_policy_init");
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
        check_xc(xc_dom_gnttab_seed(xc_.get(), domain.value(), seed.type == GuestType::hvm,
                                    seed.console_gfn, seed.store_gfn, seed.console_domid.value(),
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

// Frames of a domain's, mapped one after the other; those that cannot be have an error.
class Mapping {
  public:
    Mapping(xenforeignmemory_handle* memory, DomId domain, std::span<const Gfn> frames,
            int protection)
        : memory_(memory), frames_(frames.size()), errors_(frames.size()) {
        static_assert(sizeof(Gfn) == sizeof(xen_pfn_t));
        const auto* numbers = reinterpret_cast<const xen_pfn_t*>(frames.data());
        address_ = xenforeignmemory_map(memory_, domain.value(), protection, frames_, numbers,
                                        errors_.data());
        if (!address_) {
            throw Error::from_errno(name("xenforeignmemory_map", domain) + " frame " +
                                    std::to_string(frames.front().value()));
        }
    }
    // A single frame, which must be there.
    Mapping(xenforeignmemory_handle* memory, DomId domain, Gfn frame, int protection)
        : Mapping(memory, domain, std::span(&frame, 1), protection) {
        if (errors_[0] == 0) return;
        errno = -errors_[0];
        throw Error::from_errno(name("xenforeignmemory_map", domain) + " frame " +
                                std::to_string(frame.value()));
    }
    ~Mapping() { xenforeignmemory_unmap(memory_, address_, frames_); }
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;
    [[nodiscard]] std::byte* get(std::size_t index) const {
        return static_cast<std::byte*>(address_) + index * page_size;
    }
    [[nodiscard]] int error(std::size_t index) const { return errors_[index]; }

  private:
    xenforeignmemory_handle* memory_;
    std::size_t frames_;
    std::vector<int> errors_;
    void* address_;
};

// Xen's table of the pfn of every frame, which dom0 may read.
class MachineToPhysical {
  public:
    MachineToPhysical() {
        const auto xc = open_xc();
        check_xc(xc_maximum_ram_page(xc.get(), &frames_), "xc_maximum_ram_page");
        ++frames_;
        table_ = xc_map_m2p(xc.get(), frames_, PROT_READ, nullptr);
        if (!table_) throw Error::from_errno("xc_map_m2p");
    }
    ~MachineToPhysical() {
        ::munmap(table_, (frames_ * sizeof(*table_) + m2p_chunk - 1) & ~(m2p_chunk - 1));
    }
    MachineToPhysical(const MachineToPhysical&) = delete;
    MachineToPhysical& operator=(const MachineToPhysical&) = delete;
    [[nodiscard]] std::optional<Pfn> pfn(Mfn frame) const {
        if (frame.value() >= frames_) return std::nullopt;
        const std::uint64_t pfn = table_[frame.value()];
        return pfn & no_pfn ? std::nullopt : std::optional(Pfn(pfn));
    }

  private:
    unsigned long frames_ = 0;
    xen_pfn_t* table_ = nullptr;
};

class XenGuestMemory final : public GuestMemory {
  public:
    XenGuestMemory()
        : xc_(open_xc()),
          call_(owned<XencallHandle>(xencall_open(nullptr, 0), "xencall_open")),
          memory_(owned<ForeignMemoryHandle>(xenforeignmemory_open(nullptr, 0),
                                             "xenforeignmemory_open")),
          types_(call_.get(), map_batch * sizeof(xen_pfn_t)) {}

    Page read(DomId domain, Gfn frame) override {
        const Mapping mapping(memory_.get(), domain, frame, PROT_READ);
        Page page;
        std::memcpy(page.data(), mapping.get(0), page_size);
        return page;
    }

    void write(DomId domain, Gfn frame, const Page& page) override {
        const Mapping mapping(memory_.get(), domain, frame, PROT_READ | PROT_WRITE);
        std::memcpy(mapping.get(0), page.data(), page_size);
    }

    std::vector<bool> read_some(DomId domain, std::span<const Gfn> frames,
                                std::span<std::byte> out) override {
        std::vector<bool> readable;
        readable.reserve(frames.size());
        std::size_t at = 0;
        while (!frames.empty()) {
            const auto batch = frames.first(std::min(frames.size(), map_batch));
            frames = frames.subspan(batch.size());
            const auto there = present(domain, batch);
            std::optional<Mapping> mapping;
            if (!there.empty()) mapping.emplace(memory_.get(), domain, there, PROT_READ);
            std::size_t next = 0;
            for (const auto frame : batch) {
                const bool mapped = next < there.size() && there[next] == frame;
                readable.push_back(mapped && mapping->error(next) == 0);
                if (readable.back()) {
                    std::memcpy(out.subspan(at, page_size).data(), mapping->get(next), page_size);
                    at += page_size;
                }
                if (mapped) ++next;
            }
        }
        return readable;
    }

    std::optional<Pfn> pfn(Mfn frame) override {
        if (!m2p_) m2p_.emplace();
        return m2p_->pfn(frame);
    }

  private:
    // The kernel takes a hypercall for every frame that cannot be mapped; most gfns of a PVH guest
    // are none of its memory, and one call here is for all of them.
    std::vector<Gfn> present(DomId domain, std::span<const Gfn> frames) {
        auto* types = types_.as<xen_pfn_t>();
        std::ranges::transform(frames, types, &Gfn::value);
        xen_domctl request{};
        request.cmd = XEN_DOMCTL_getpageframeinfo3;
        request.domain = static_cast<domid_t>(domain.value());
        request.u.getpageframeinfo3.num = frames.size();
        request.u.getpageframeinfo3.array.p = types;
        check_xc(xc_domctl(xc_.get(), &request), name("getpageframeinfo3", domain));
        std::vector<Gfn> there;
        for (std::size_t i = 0; i < frames.size(); ++i) {
            const auto type = types[i] & XEN_DOMCTL_PFINFO_LTAB_MASK;
            if (type != XEN_DOMCTL_PFINFO_XTAB && type != XEN_DOMCTL_PFINFO_XALLOC &&
                type != XEN_DOMCTL_PFINFO_BROKEN) {
                there.push_back(frames[i]);
            }
        }
        return there;
    }

    XcHandle xc_;
    XencallHandle call_;
    ForeignMemoryHandle memory_;
    HypercallBuffer types_;
    std::optional<MachineToPhysical> m2p_;
};

}  // namespace

std::unique_ptr<GuestContext> open_guest_context() {
    return std::make_unique<XenGuestContext>();
}
std::unique_ptr<GuestMemory> open_guest_memory() {
    return std::make_unique<XenGuestMemory>();
}

}  // namespace warmvm
