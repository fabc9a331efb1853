// SPDX-License-Identifier: GPL-2.0-only
// Every port to a machine, over the state that they share: what one does the others see. Rules that
// the real ones keep (a preserved domain cannot run, adoption is all or nothing, a destroyed domain
// gives adopted frames back) are kept here and broken rules throw std::logic_error.
#pragma once

#include "machine_state.hpp"
#include "preserved/helper_ports.hpp"
#include "xen/guest_context.hpp"
#include "xen/guest_memory.hpp"
#include "xen/log_dirty.hpp"

namespace fake {

class DomainControl : public warmvm::DomainControl, public virtual State {
  public:
    std::vector<warmvm::DomainInfo> list() override;
    std::optional<warmvm::DomainInfo> info(DomId domain) override;
    void pause(DomId domain) override;
    void unpause(DomId domain) override;
    void resume_suspended(DomId domain) override;
    warmvm::HypervisorVersion version() override;
    warmvm::HostHardware hardware() override;
};

class GuestContext : public warmvm::GuestContext, public virtual State {
  public:
    warmvm::CpuPolicy cpu_policy(DomId domain) override;
    void set_cpu_policy(DomId domain, const warmvm::CpuPolicy& policy) override;
    warmvm::TscInfo tsc_info(DomId domain) override;
    void set_tsc_info(DomId domain, const warmvm::TscInfo& tsc) override;
    Bytes hvm_context(DomId domain) override;
    void set_hvm_context(DomId domain, warmvm::ByteView context) override;
    std::uint64_t hvm_param(DomId domain, std::uint64_t index) override;
    void set_hvm_param(DomId domain, const warmvm::HvmParam& param) override;
    unsigned pv_width(DomId domain) override;
    std::optional<warmvm::VcpuContext> vcpu(DomId domain, VcpuId vcpu) override;
    void set_vcpu(DomId domain, VcpuId vcpu, const warmvm::VcpuContext& context) override;
    void pin(DomId domain, const std::vector<warmvm::PageTablePin>& tables) override;
    void seed_grant_table(DomId domain, const warmvm::GrantTableSeed& seed) override;
};

class GuestMemory : public warmvm::GuestMemory, public virtual State {
  public:
    Page read(DomId domain, warmvm::Gfn frame) override;
    void write(DomId domain, warmvm::Gfn frame, const Page& page) override;
    std::vector<bool> read_some(DomId domain, std::span<const warmvm::Gfn> frames,
                                std::span<std::byte> out) override;
    std::optional<Pfn> pfn(Mfn frame) override;
};

class LogDirty : public warmvm::LogDirty, public virtual State {
  public:
    std::uint64_t frames(DomId domain) override;
    bool enable(DomId domain) override;
    void disable(DomId domain) override;
    void take(DomId domain, std::span<std::uint64_t> written) override;
};

class PreservedMemory : public warmvm::PreservedMemory, public virtual State {
  public:
    std::optional<warmvm::PreservedInfo> info() override;
    std::vector<warmvm::PreservedSet> sets() override;
    std::variant<warmvm::PreservedSet, warmvm::Refusal> check(DomId domain) override;
    SetId preserve(DomId domain) override;
    void release(SetId set) override;
    void set_blob(SetId set, std::span<const std::byte> blob) override;
    std::vector<std::byte> blob(SetId set) override;
    std::vector<warmvm::Extent> extents(SetId set) override;
    void read(Mfn first, std::span<std::byte> out) override;
    void adopt(SetId set, DomId domain) override;
    std::uint64_t commit(SetId set) override;
    void discard(SetId set) override;
    void arm(std::uint64_t token) override;
    void disarm() override;
    std::optional<warmvm::Refusal> verify() override;
    warmvm::Survey survey() override;

    // What the next hypervisor could not read: a set's record, or the whole record, of which it
    // makes one unreadable set.
    void damage(SetId set, warmvm::Reason reason);
    void damage_record(warmvm::Reason reason);

  private:
    static warmvm::PreservedSet describe(const Domain& domain);
};

class Store : public warmvm::Store, public virtual State {
  public:
    std::optional<std::string> read(const std::string& path) override;
    void write(const std::string& path, const std::string& value) override;
    std::vector<std::string> list(const std::string& path) override;
    bool replace(const std::string& path, const std::string& expected,
                 const std::string& replacement) override;
    void resume_domain(DomId domain) override;
};

class Kexec : public warmvm::Kexec, public virtual State {
  public:
    void load(const warmvm::KexecImage& image) override;
    void unload() override;
};

// What libxl would do, with the real save helper's code inside.
class Toolstack : public warmvm::Toolstack, public virtual State {
  public:
    std::unique_ptr<warmvm::ToolstackJob> start_save(DomId domain,
                                                     const std::filesystem::path& file,
                                                     std::chrono::milliseconds timeout) override;
    std::size_t first_ended(std::span<warmvm::ToolstackJob* const> jobs) override;
    warmvm::ToolstackResult restore(const std::filesystem::path& file) override;
    warmvm::ToolstackResult shutdown(DomId domain, std::chrono::milliseconds timeout) override;
    warmvm::ToolstackResult destroy(DomId domain) override;

  private:
    // The ports that the save helper would open.
    virtual warmvm::HelperPorts helper_ports() = 0;
    warmvm::ToolstackResult save(DomId domain, const std::filesystem::path& file);
};

class System : public roothammer::System, public virtual State {
  public:
    std::uint64_t tsc() override;
    void sleep(std::chrono::milliseconds time) override;
    unsigned processors() override { return processor_count; }
    std::uint64_t random_token() override;
    std::string boot_id() override;
    void keep_units(const std::string& target, const std::vector<std::string>& patterns) override;
    void isolate(const std::string& target) override;
    std::vector<std::string> active_units(const std::vector<std::string>& patterns) override;
    bool is_active(const std::string& unit) override;
    bool has_other_jobs(const std::vector<std::string>& units) override;
    void sync() override;
    void remount_read_only() override;
    void remount_writable() override;
    void reboot() override;
};

}  // namespace fake
