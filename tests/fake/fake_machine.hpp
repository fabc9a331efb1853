// SPDX-License-Identifier: GPL-2.0-only
// A machine with a hypervisor, a dom0 and guests, small enough for a test: one object behind every
// port, so that what one port does the others see. Rules that the real ones keep (a preserved
// domain cannot run, adoption is all or nothing, a destroyed domain gives adopted frames back) are
// kept here and broken rules throw std::logic_error.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host/host.hpp"
#include "xen/guest_context.hpp"
#include "xen/guest_memory.hpp"
#include "xen/log_dirty.hpp"

namespace fake {

using warmvm::Bytes;
using warmvm::DomId;
using warmvm::GuestKind;
using warmvm::Mfn;
using warmvm::Page;
using warmvm::Pfn;
using warmvm::SetId;
using warmvm::VcpuId;

struct Domain {
    DomId id;
    std::string name;
    GuestKind kind = GuestKind::pvh;
    warmvm::Uuid uuid;
    int toolstack_pauses = 0;
    bool held = false;  // by the hypervisor
    std::optional<warmvm::ShutdownReason> shutdown;
    bool dying = false;
    std::map<std::uint64_t, Mfn> frames;            // by gfn (PV: pfn)
    std::map<std::uint64_t, std::uint32_t> pinned;  // mfn -> level
    Mfn shared_info;
    warmvm::TscInfo tsc{2, 2600000, 12345, 1};
    warmvm::CpuPolicy policy;
    Bytes hvm_context;
    std::map<std::uint64_t, std::uint64_t> hvm_params;
    std::map<std::uint32_t, warmvm::VcpuContext> vcpus;
    unsigned pv_width = 8;
    std::optional<warmvm::GrantTableSeed> grants;
    bool log_dirty = false;
    bool passed_through_device = false;
    std::set<std::uint64_t> dirty;  // gfns (PV: pfns)
    // How it answers a suspend request.
    enum class Suspends { yes, never, late } suspends = Suspends::yes;
    int late_by = 3;  // sleeps of this program
    bool can_suspend = true;
    std::optional<warmvm::Refusal> refusal;  // CHECK and PRESERVE say this
    // Counts what the guest itself would notice.
    int times_resumed_elsewhere = 0;  // woken by a restore
    int times_cancelled = 0;          // woken where it was
    int stood_still = 0;              // sleeps of this program from a late suspend to that

    [[nodiscard]] bool is_pv() const { return kind == GuestKind::pv; }
    [[nodiscard]] bool runs() const {
        return toolstack_pauses == 0 && !held && !shutdown && !dying;
    }
};

// Thrown by Machine::reboot(): nothing after it runs.
struct Rebooted {};
// The program died, without a word and without its destructors' doing anything.
struct Killed {};

struct Set {
    warmvm::PreservedSet info;
    std::vector<warmvm::Extent> extents;
    Bytes blob;
};

class Machine final : public warmvm::DomainControl,
                      public warmvm::GuestContext,
                      public warmvm::GuestMemory,
                      public warmvm::LogDirty,
                      public warmvm::PreservedMemory,
                      public warmvm::Store,
                      public warmvm::Kexec,
                      public warmvm::Toolstack,
                      public roothammer::System {
  public:
    // --- what a test sets up and looks at
    std::map<std::uint32_t, Domain> domains;
    std::map<std::uint32_t, Set> preserved;
    std::map<std::uint64_t, Page> ram;  // by mfn; absent: zeros
    std::map<std::string, std::string> nodes;
    warmvm::PreservedInfo host_info;
    bool has_feature = true;
    warmvm::Survey survey_result{1u << 18, 1u << 17};
    warmvm::HostHardware machine_hardware{2, 1u << 20, true, false};
    std::optional<warmvm::KexecImage> loaded;
    warmvm::Bytes loaded_kernel;  // what was in its kernel file then
    std::optional<warmvm::Refusal> verify_refusal;
    std::uint64_t armed_token = 0;
    bool services_up = true;  // default.target is active
    bool read_only = false;
    bool jumped = false;
    int other_jobs = 0;                    // polls until dom0's services are gone
    std::function<void()> on_warm_target;  // what the service manager starts when it is isolated
    std::chrono::milliseconds save_timeout{}, shutdown_timeout{};  // as they were given last
    std::size_t most_saves = 0;                                    // that were under way at once
    std::size_t saves_held = 0, most_held = 0;                     // before they touch the guest
    std::function<void()> on_suspend;                              // before a guest is asked
    unsigned processor_count = 1;
    std::string boot = "boot-1";
    warmvm::HypervisorVersion xen{4, 17, ".5", "dom0_mem=512M console=com1", "ab"};
    // xl dies and cleans nothing up: half way through a "save"; in a "restore" that fails, or
    // "restore early", before it has any memory, or "restore late", when all is done.
    std::set<std::string> killed_tools;

    // The nth call through any port throws Error(EIO); 0: none does. Or the first of that name.
    unsigned fail_at = 0;
    std::string fail_in;
    bool kill = false;  // ... or kills the program; restart_program() to go on
    unsigned calls = 0;
    std::string failed_call;

    Machine();
    Domain& add_domain(const std::string& name, GuestKind kind);
    void add_frames(Domain& domain, std::uint64_t first_gfn, std::uint64_t count);
    [[nodiscard]] Domain* find(const std::string& name);
    // The running guest fills a page (PV: of a pfn) with an octet.
    void guest_writes(Domain& domain, std::uint64_t page, std::uint8_t octet);
    void restart_program() {
        dead_ = false;
        fail_at = 0;
    }
    // After reboot(): what the next hypervisor and dom0 find. Throws if the reboot was a cold one.
    void boot_next();
    // What that hypervisor could not read: a set's record, or the whole record, of which it makes
    // one unreadable set.
    void damage(SetId set, warmvm::Reason reason);
    void damage_record(warmvm::Reason reason);
    [[nodiscard]] roothammer::Host host(const roothammer::Paths& paths);
    // Every guest runs, nothing is preserved, armed, loaded or shut down in dom0.
    [[nodiscard]] std::string what_is_not_as_before() const;

    // --- DomainControl
    std::vector<warmvm::DomainInfo> list() override;
    std::optional<warmvm::DomainInfo> info(DomId domain) override;
    void pause(DomId domain) override;
    void unpause(DomId domain) override;
    void resume_suspended(DomId domain) override;
    warmvm::HypervisorVersion version() override;
    warmvm::HostHardware hardware() override;

    // --- GuestContext
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

    // --- GuestMemory
    Page read(DomId domain, warmvm::Gfn frame) override;
    void write(DomId domain, warmvm::Gfn frame, const Page& page) override;
    std::vector<bool> read_some(DomId domain, std::span<const warmvm::Gfn> frames,
                                std::span<std::byte> out) override;
    std::optional<Pfn> pfn(Mfn frame) override;

    // --- LogDirty
    std::uint64_t frames(DomId domain) override;
    bool enable(DomId domain) override;
    void disable(DomId domain) override;
    void take(DomId domain, std::span<std::uint64_t> written) override;

    // --- PreservedMemory
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

    // --- Store
    std::optional<std::string> read(const std::string& path) override;
    void write(const std::string& path, const std::string& value) override;
    std::vector<std::string> list(const std::string& path) override;
    bool replace(const std::string& path, const std::string& expected,
                 const std::string& replacement) override;
    void resume_domain(DomId domain) override;

    // --- Kexec
    void load(const warmvm::KexecImage& image) override;
    void unload() override;

    // --- Toolstack: what libxl would do, with the real save helper's code inside
    std::unique_ptr<warmvm::ToolstackJob> start_save(DomId domain,
                                                     const std::filesystem::path& file,
                                                     std::chrono::milliseconds timeout) override;
    std::size_t first_ended(std::span<warmvm::ToolstackJob* const> jobs) override;
    warmvm::ToolstackResult restore(const std::filesystem::path& file) override;
    warmvm::ToolstackResult shutdown(DomId domain, std::chrono::milliseconds timeout) override;
    warmvm::ToolstackResult destroy(DomId domain) override;

    // --- System
    std::uint64_t tsc() override;
    void sleep(std::chrono::milliseconds time) override;
    unsigned processors() override { return processor_count; }
    std::uint64_t random_token() override;
    std::string boot_id() override;
    void keep_units(const std::string& target, const std::vector<std::string>& patterns) override;
    void isolate(const std::string& target) override;
    bool is_active(const std::string& unit) override;
    bool has_other_jobs(const std::vector<std::string>& units) override;
    void sync() override;
    void remount_read_only() override;
    void remount_writable() override;
    void reboot() override;

  private:
    warmvm::ToolstackResult save(DomId domain, const std::filesystem::path& file);
    void step(const char* call);
    Domain& get(DomId domain);
    Set& get(SetId set);
    Mfn new_frame();
    void remove(DomId domain);
    warmvm::PreservedSet describe(const Domain& domain) const;
    std::vector<warmvm::Extent> extents_of(const Domain& domain) const;

    bool dead_ = false;
    std::uint32_t next_domid_ = 1;
    std::uint32_t next_set_ = 1;
    std::uint64_t next_mfn_ = 0x1000;
    std::uint64_t tsc_ = 1000;
    std::map<std::uint32_t, int> late_;  // sleeps until a late guest suspends
};

}  // namespace fake
