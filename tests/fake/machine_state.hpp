// SPDX-License-Identifier: GPL-2.0-only
// What a machine of the tests is made of, whichever port looks at it: domains, their memory,
// preserved sets, xenstore's nodes, dom0; and the faults that a test injects into a call.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host/host.hpp"
#include "xen/guest_context.hpp"

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

// A rule that the real hypervisor keeps was about to be broken.
[[noreturn]] void broken_rule(const std::string& what);

struct State {
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
    std::function<void()> on_sleep;                                // of this program
    std::function<void()> on_shutdown;                             // while `xl shutdown` waits
    unsigned processor_count = 1;
    std::string boot = "boot-1";
    warmvm::HypervisorVersion xen{4, 17, ".5", "dom0_mem=512M console=com1", "ab"};
    // xl dies and cleans nothing up: half way through a "save"; in a "restore" that fails, or
    // "restore early", before it has any memory, or "restore late", when all is done. Or it cannot
    // "wake" a guest whose save has failed.
    std::set<std::string> killed_tools;

    // The nth call through any port throws Error(EIO); 0: none does. Or the first of that name.
    unsigned fail_at = 0;
    std::string fail_in;
    bool kill = false;  // ... or kills the program; restart_program() to go on
    unsigned calls = 0;
    std::string failed_call;

    State();
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    Domain& add_domain(const std::string& name, GuestKind kind);
    void add_frames(Domain& domain, std::uint64_t first_gfn, std::uint64_t count);
    [[nodiscard]] Domain* find(const std::string& name);
    // The running guest fills a page (PV: of a pfn) with an octet.
    void guest_writes(Domain& domain, std::uint64_t page, std::uint8_t octet);
    void restart_program() {
        dead_ = false;
        fail_at = 0;
    }

  protected:
    // At the start of every call through a port: where faults are injected.
    void step(const char* call);
    Domain& get(DomId domain);
    Set& get(SetId set);
    Mfn new_frame();
    // What becomes of a domain's memory and nodes when it is destroyed.
    void remove(DomId domain);

    bool dead_ = false;
    std::uint32_t next_domid_ = 1;
    std::uint32_t next_set_ = 1;
    std::uint64_t next_mfn_ = 0x1000;
    std::uint64_t tsc_ = 1000;
    std::map<std::uint32_t, int> late_;  // sleeps until a late guest suspends
};

}  // namespace fake
