// SPDX-License-Identifier: GPL-2.0-only
// Port: a domain's state outside its memory. Contexts are Xen's structures as bytes; nothing here
// looks into them.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.hpp"
#include "xen/types.hpp"

namespace warmvm {

struct TscInfo {
    std::uint32_t mode{};
    std::uint32_t khz{};
    std::uint64_t nsec{};
    std::uint32_t incarnation{};
    friend bool operator==(const TscInfo&, const TscInfo&) = default;
};

struct HvmParam {
    std::uint64_t index{};  // hvm_param
    std::uint64_t value{};
    friend bool operator==(const HvmParam&, const HvmParam&) = default;
};

struct CpuPolicy {
    Bytes cpuid;  // xen_cpuid_leaf_t[]
    Bytes msrs;   // xen_msr_entry_t[]
    friend bool operator==(const CpuPolicy&, const CpuPolicy&) = default;
};

// A PV guest's vcpu. What is empty Xen had nothing to say of, or there was no record.
struct VcpuContext {
    Bytes basic;     // vcpu_guest_context, mfns
    Bytes extended;  // xen_domctl_ext_vcpucontext
    Bytes xsave;
    Bytes msrs;  // xen_domctl_vcpu_msr[]
};

struct PageTablePin {
    Mfn mfn;
    std::uint32_t level{};  // 1..4
};

struct GrantTableSeed {
    bool is_pv = false;
    std::uint64_t console_gfn{};
    std::uint64_t store_gfn{};
    DomId console_domid;
    DomId store_domid;
};

class GuestContext {
  public:
    virtual ~GuestContext() = default;

    virtual CpuPolicy cpu_policy(DomId domain) = 0;
    virtual void set_cpu_policy(DomId domain, const CpuPolicy& policy) = 0;
    virtual TscInfo tsc_info(DomId domain) = 0;
    virtual void set_tsc_info(DomId domain, const TscInfo& tsc) = 0;

    // HVM and PVH.
    virtual Bytes hvm_context(DomId domain) = 0;
    virtual void set_hvm_context(DomId domain, ByteView context) = 0;
    virtual std::uint64_t hvm_param(DomId domain, std::uint64_t index) = 0;
    virtual void set_hvm_param(DomId domain, const HvmParam& param) = 0;

    // PV: a word has 4 or 8 octets.
    virtual unsigned pv_width(DomId domain) = 0;
    // nullopt: the vcpu is offline.
    virtual std::optional<VcpuContext> vcpu(DomId domain, VcpuId vcpu) = 0;
    virtual void set_vcpu(DomId domain, VcpuId vcpu, const VcpuContext& context) = 0;
    virtual void pin(DomId domain, const std::vector<PageTablePin>& tables) = 0;

    virtual void seed_grant_table(DomId domain, const GrantTableSeed& seed) = 0;
};

std::unique_ptr<GuestContext> open_guest_context();

}  // namespace warmvm
