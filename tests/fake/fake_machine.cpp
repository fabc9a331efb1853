// SPDX-License-Identifier: GPL-2.0-only
#include "fake_machine.hpp"

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include "base/file.hpp"
#include "preserved/guest_record.hpp"

namespace fake {
namespace {

using warmvm::Error;
using warmvm::Gfn;
using warmvm::PreservedSet;
using warmvm::SetState;

[[noreturn]] void broken_rule(const std::string& what) {
    throw std::logic_error(what);
}

}  // namespace

Machine::Machine() {
    host_info.range = true;
    host_info.range_start = 512ull << 20;
    host_info.range_size = 256ull << 20;
    host_info.window_start = 3040ull << 20;
    host_info.window_size = 16ull << 20;
    host_info.boot_need = 8ull << 20;
    host_info.tsc_khz = 1000000;
}

void Machine::step(const char* call) {
    ++calls;
    tsc_ += 10;
    if (dead_) throw Killed{};
    if (calls == fail_at || fail_in == call) {
        failed_call = call;
        fail_in.clear();
        dead_ = kill;
        if (kill) throw Killed{};
        throw Error::of(std::errc::io_error, std::string("fault injected into ") + call);
    }
}

Domain& Machine::get(DomId domain) {
    const auto found = domains.find(domain.value());
    if (found == domains.end()) throw Error::of(std::errc::no_such_process, "no such domain");
    return found->second;
}

Set& Machine::get(SetId set) {
    const auto found = preserved.find(set.value());
    if (found == preserved.end()) {
        throw Error::of(std::errc::no_such_file_or_directory, "no such set");
    }
    return found->second;
}

Mfn Machine::new_frame() {
    return Mfn(next_mfn_++);
}

Domain& Machine::add_domain(const std::string& name, GuestKind kind) {
    Domain domain;
    domain.id = DomId(next_domid_++);
    domain.name = name;
    domain.kind = kind;
    domain.uuid.bytes[0] = static_cast<std::uint8_t>(domain.id.value());
    domain.uuid.bytes[15] = 0xee;
    domain.shared_info = new_frame();
    domain.policy = {Bytes(24, std::byte{7}), Bytes(16, std::byte{9})};
    const auto id = std::to_string(domain.id.value());
    nodes["/local/domain/" + id + "/name"] = name;
    nodes["/libxl/" + id + "/type"] = str(kind);
    nodes["/local/domain/" + id + "/control/shutdown"] = "";
    nodes["/local/domain/" + id + "/control/feature-suspend"] = "1";
    return domains[domain.id.value()] = domain;
}

void Machine::add_frames(Domain& domain, std::uint64_t first_gfn, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
        const auto mfn = new_frame();
        domain.frames[first_gfn + i] = mfn;
        auto& page = ram[mfn.value()];
        warmvm::store_at(page, 0, mfn.value() * 0x9e3779b97f4a7c15);
    }
}

Domain* Machine::find(const std::string& name) {
    for (auto& [id, domain] : domains) {
        if (domain.name == name) return &domain;
    }
    return nullptr;
}

void Machine::guest_writes(Domain& domain, std::uint64_t page, std::uint8_t octet) {
    if (!domain.runs()) broken_rule("a guest that does not run writes");
    ram[domain.frames.at(page).value()].fill(std::byte{octet});
    if (domain.log_dirty) domain.dirty.insert(page);
}

void Machine::boot_next() {
    if (!jumped) broken_rule("the machine was not rebooted");
    if (armed_token == 0) broken_rule("a cold reboot");
    const auto token = loaded->xen_commandline.find("preserved-token=");
    if (token == std::string::npos) broken_rule("the next hypervisor does not know the token");
    for (auto& [id, set] : preserved) {
        set.info.state = SetState::inherited;
        ++set.info.generation;
    }
    domains.clear();
    nodes.clear();
    loaded.reset();
    armed_token = 0;
    jumped = false;
    services_up = true;
    read_only = false;
    boot += "+";
    ++host_info.generation;
    host_info.warm = true;
    host_info.tsc_jump = tsc_;
    host_info.tsc_entry = tsc_ += 1000;
}

roothammer::Host Machine::host(const roothammer::Paths& paths) {
    return {*this, *this, *this, *this, *this, *this, paths};
}

std::string Machine::what_is_not_as_before() const {
    for (const auto& [id, domain] : domains) {
        if (!domain.runs()) return domain.name + " does not run";
        if (domain.log_dirty) return domain.name + " is in log-dirty mode";
    }
    if (!preserved.empty()) return "a set is left";
    if (armed_token) return "still armed";
    if (loaded) return "an image is still loaded";
    if (!services_up) return "dom0's services are down";
    if (read_only) return "file systems are read-only";
    return {};
}

// --- DomainControl
// ---------------------------------------------------------------------------------

std::vector<warmvm::DomainInfo> Machine::list() {
    step("list");
    std::vector<warmvm::DomainInfo> infos;
    for (const auto& [id, domain] : domains) {
        warmvm::DomainInfo info;
        info.id = domain.id;
        info.uuid = domain.uuid;
        info.kind = domain.kind;
        info.paused = domain.toolstack_pauses > 0;
        info.dying = domain.dying;
        info.shutdown = domain.shutdown;
        info.max_vcpu_id = domain.vcpus.empty() ? 0 : domain.vcpus.rbegin()->first;
        info.frames = domain.frames.size();
        info.shared_info = domain.shared_info;
        info.pv_width = domain.pv_width;
        infos.push_back(info);
    }
    return infos;
}

std::optional<warmvm::DomainInfo> Machine::info(DomId domain) {
    for (const auto& info : list()) {
        if (info.id == domain) return info;
    }
    return std::nullopt;
}

void Machine::pause(DomId domain) {
    step("pause");
    ++get(domain).toolstack_pauses;
}

void Machine::unpause(DomId domain) {
    step("unpause");
    auto& target = get(domain);
    if (target.toolstack_pauses == 0) broken_rule("unpause of a domain that is not paused");
    --target.toolstack_pauses;
}

void Machine::resume_suspended(DomId domain) {
    step("resume_suspended");
    auto& target = get(domain);
    if (target.shutdown != warmvm::ShutdownReason::suspend)
        broken_rule("resume of a running domain");
    target.shutdown.reset();
    ++target.times_cancelled;
}

warmvm::HypervisorVersion Machine::version() {
    step("version");
    return xen;
}

warmvm::HostHardware Machine::hardware() {
    step("hardware");
    return machine_hardware;
}

// --- GuestContext
// ----------------------------------------------------------------------------------

warmvm::CpuPolicy Machine::cpu_policy(DomId domain) {
    step("cpu_policy");
    return get(domain).policy;
}
void Machine::set_cpu_policy(DomId domain, const warmvm::CpuPolicy& policy) {
    step("set_cpu_policy");
    get(domain).policy = policy;
}
warmvm::TscInfo Machine::tsc_info(DomId domain) {
    step("tsc_info");
    return get(domain).tsc;
}
void Machine::set_tsc_info(DomId domain, const warmvm::TscInfo& tsc) {
    step("set_tsc_info");
    get(domain).tsc = tsc;
}
Bytes Machine::hvm_context(DomId domain) {
    step("hvm_context");
    return get(domain).hvm_context;
}
void Machine::set_hvm_context(DomId domain, warmvm::ByteView context) {
    step("set_hvm_context");
    get(domain).hvm_context.assign(context.begin(), context.end());
}
std::uint64_t Machine::hvm_param(DomId domain, std::uint64_t index) {
    step("hvm_param");
    const auto& params = get(domain).hvm_params;
    const auto found = params.find(index);
    return found == params.end() ? 0 : found->second;
}
void Machine::set_hvm_param(DomId domain, const warmvm::HvmParam& param) {
    step("set_hvm_param");
    get(domain).hvm_params[param.index] = param.value;
}
unsigned Machine::pv_width(DomId domain) {
    step("pv_width");
    return get(domain).pv_width;
}
std::optional<warmvm::VcpuContext> Machine::vcpu(DomId domain, VcpuId vcpu) {
    step("vcpu");
    const auto& vcpus = get(domain).vcpus;
    const auto found = vcpus.find(vcpu.value());
    if (found == vcpus.end()) return std::nullopt;
    return found->second;
}
void Machine::set_vcpu(DomId domain, VcpuId vcpu, const warmvm::VcpuContext& context) {
    step("set_vcpu");
    get(domain).vcpus[vcpu.value()] = context;
}
void Machine::pin(DomId domain, const std::vector<warmvm::PageTablePin>& tables) {
    step("pin");
    auto& target = get(domain);
    for (const auto& table : tables) {
        const auto owns = [&](const auto& frame) { return frame.second == table.mfn; };
        if (std::ranges::none_of(target.frames, owns)) broken_rule("pin of a foreign frame");
        target.pinned[table.mfn.value()] = table.level;
    }
}
void Machine::seed_grant_table(DomId domain, const warmvm::GrantTableSeed& seed) {
    step("seed_grant_table");
    get(domain).grants = seed;
}

// --- GuestMemory
// -----------------------------------------------------------------------------------

namespace {

std::optional<Mfn> translate(const Domain& domain, Gfn frame) {
    if (domain.is_pv()) {
        const auto owns = [&](const auto& entry) { return entry.second.value() == frame.value(); };
        if (frame.value() == domain.shared_info.value() ||
            std::ranges::any_of(domain.frames, owns)) {
            return Mfn(frame.value());
        }
    } else if (const auto found = domain.frames.find(frame.value()); found != domain.frames.end()) {
        return found->second;
    }
    return std::nullopt;
}

Mfn must_translate(const Domain& domain, Gfn frame) {
    if (const auto mfn = translate(domain, frame)) return *mfn;
    throw Error::of(std::errc::bad_address, "the domain has no such frame");
}

}  // namespace

Page Machine::read(DomId domain, Gfn frame) {
    step("read frame");
    return ram[must_translate(get(domain), frame).value()];
}

void Machine::write(DomId domain, Gfn frame, const Page& page) {
    step("write frame");
    ram[must_translate(get(domain), frame).value()] = page;
}

std::vector<bool> Machine::read_some(DomId domain, std::span<const Gfn> frames,
                                     std::span<std::byte> out) {
    step("read frames");
    std::vector<bool> readable;
    for (const auto frame : frames) {
        const auto mfn = translate(get(domain), frame);
        readable.push_back(mfn.has_value());
        if (!mfn) continue;
        std::ranges::copy(ram[mfn->value()], out.begin());
        out = out.subspan(warmvm::page_size);
    }
    return readable;
}

// No step(): memory that is mapped does not fail.
std::optional<Pfn> Machine::pfn(Mfn frame) {
    for (const auto& [id, domain] : domains) {
        for (const auto& [pfn, mfn] : domain.frames) {
            if (mfn == frame) return Pfn(pfn);
        }
    }
    return std::nullopt;
}

// --- LogDirty
// --------------------------------------------------------------------------------------

std::uint64_t Machine::frames(DomId domain) {
    step("frames");
    const auto& target = get(domain);
    // Linux's p2m has room for memory that is plugged in later.
    if (target.is_pv()) return std::uint64_t{1} << 27;
    return target.frames.empty() ? 0 : target.frames.rbegin()->first + 1;
}

bool Machine::enable(DomId domain) {
    step("enable log-dirty");
    auto& target = get(domain);
    if (target.log_dirty || target.passed_through_device) return false;
    target.log_dirty = true;
    target.dirty.clear();
    return true;
}

void Machine::disable(DomId domain) {
    step("disable log-dirty");
    get(domain).log_dirty = false;
}

void Machine::take(DomId domain, std::span<std::uint64_t> written) {
    step("take log-dirty");
    auto& target = get(domain);
    if (!target.log_dirty) broken_rule("the log of a domain that has none");
    std::ranges::fill(written, 0);
    for (const auto page : std::exchange(target.dirty, {})) {
        if (page / 64 < written.size()) written[page / 64] |= std::uint64_t{1} << page % 64;
    }
}

// --- PreservedMemory
// -------------------------------------------------------------------------------

std::optional<warmvm::PreservedInfo> Machine::info() {
    step("preserved info");
    if (!has_feature) return std::nullopt;
    auto info = host_info;
    info.image = loaded.has_value();
    info.armed = armed_token != 0;
    return info;
}

std::vector<PreservedSet> Machine::sets() {
    step("sets");
    std::vector<PreservedSet> infos;
    for (const auto& [id, set] : preserved) {
        infos.push_back(set.info);
        infos.back().blob_bytes = set.blob.size();
    }
    return infos;
}

std::vector<warmvm::Extent> Machine::extents_of(const Domain& domain) const {
    std::vector<warmvm::Extent> extents;
    for (const auto& [gfn, mfn] : domain.frames) {
        const auto pin = domain.pinned.find(mfn.value());
        const auto level = pin == domain.pinned.end() ? 0u : pin->second;
        if (!extents.empty() && level == 0) {
            auto& last = extents.back();
            if (last.pin == 0 && last.gfn + last.count == gfn &&
                last.mfn.value() + last.count == mfn.value()) {
                ++last.count;
                continue;
            }
        }
        extents.push_back({gfn, mfn, 1, level});
    }
    return extents;
}

PreservedSet Machine::describe(const Domain& domain) const {
    PreservedSet set;
    set.state = SetState::local;
    set.is_pv = domain.is_pv();
    set.domid = domain.id;
    set.uuid = domain.uuid;
    set.frames = domain.frames.size();
    set.extents = extents_of(domain).size();
    set.metadata_bytes = set.extents * sizeof(std::uint64_t);
    return set;
}

std::variant<PreservedSet, warmvm::Refusal> Machine::check(DomId domain) {
    step("check");
    const auto& target = get(domain);
    if (target.refusal) return *target.refusal;
    return describe(target);
}

SetId Machine::preserve(DomId domain) {
    step("preserve");
    auto& target = get(domain);
    const auto no = [](warmvm::Refusal refusal) {
        throw warmvm::PreservedError(std::make_error_code(std::errc::invalid_argument), refusal,
                                     "preserve");
    };
    if (target.refusal) no(*target.refusal);
    if (target.shutdown != warmvm::ShutdownReason::suspend) {
        no({warmvm::Reason::not_suspended, 0});
    }
    const SetId id(next_set_++);
    Set set{describe(target), extents_of(target), {}};
    set.info.id = id;
    set.info.tsc_preserve = {tsc_, tsc_ + 5};
    preserved[id.value()] = set;
    target.held = true;
    return id;
}

void Machine::release(SetId set) {
    step("release");
    auto& target = get(set);
    if (target.info.state != SetState::local) broken_rule("release of a set that is not local");
    get(target.info.domid).held = false;
    preserved.erase(set.value());
}

void Machine::set_blob(SetId set, std::span<const std::byte> blob) {
    step("set_blob");
    get(set).blob.assign(blob.begin(), blob.end());
}

std::vector<std::byte> Machine::blob(SetId set) {
    step("blob");
    return get(set).blob;
}

std::vector<warmvm::Extent> Machine::extents(SetId set) {
    step("extents");
    return get(set).extents;
}

void Machine::read(Mfn first, std::span<std::byte> out) {
    step("read preserved");
    for (std::size_t i = 0; i * warmvm::page_size < out.size(); ++i) {
        std::ranges::copy(ram[first.value() + i],
                          out.begin() + static_cast<std::ptrdiff_t>(i * warmvm::page_size));
    }
}

void Machine::adopt(SetId set, DomId domain) {
    step("adopt");
    auto& source = get(set);
    auto& target = get(domain);
    if (source.info.state != SetState::inherited) broken_rule("adoption of a set not inherited");
    if (!target.frames.empty()) broken_rule("adoption by a domain that has memory");
    for (const auto& extent : source.extents) {
        for (std::uint32_t i = 0; i < extent.count; ++i) {
            target.frames[extent.gfn + i] = Mfn(extent.mfn.value() + i);
        }
    }
    source.info.state = SetState::adopted;
    source.info.domid = domain;
    source.info.tsc_adopt = {tsc_, tsc_ + 5};
    source.info.ticks_adopt = 2 * source.info.frames;
    target.held = true;
}

std::uint64_t Machine::commit(SetId set) {
    step("commit");
    auto& source = get(set);
    if (source.info.state != SetState::adopted) broken_rule("commit of a set not adopted");
    auto& target = get(source.info.domid);
    target.held = false;
    ++target.times_resumed_elsewhere;
    const auto ticks = source.info.frames;
    preserved.erase(set.value());
    return ticks;
}

void Machine::discard(SetId set) {
    step("discard");
    const auto state = get(set).info.state;
    if (state != SetState::inherited && state != SetState::unreadable) {
        throw Error::of(std::errc::device_or_resource_busy, "discard");
    }
    // Unreadable ones cannot be told apart: all go.
    std::erase_if(preserved, [&](const auto& entry) {
        const auto& [id, target] = entry;
        if (state == SetState::unreadable ? target.info.state != state : id != set.value()) {
            return false;
        }
        for (const auto& extent : target.extents) {
            for (std::uint32_t i = 0; i < extent.count; ++i) ram[extent.mfn.value() + i] = Page{};
        }
        return true;
    });
    if (state == SetState::unreadable) {
        host_info.record_reason = warmvm::Reason::none;
        host_info.unreadable_frames = 0;
    }
}

void Machine::damage(SetId set, warmvm::Reason reason) {
    auto& target = get(set);
    target.info.state = SetState::unreadable;
    target.info.reason = reason;
    target.blob.clear();
    host_info.unreadable_frames += target.info.frames;
}

void Machine::damage_record(warmvm::Reason reason) {
    Set whole;
    whole.info.id = SetId(next_set_++);
    whole.info.state = SetState::unreadable;
    whole.info.reason = reason;
    for (const auto& [id, set] : preserved) {
        whole.info.frames += set.info.frames;
        whole.extents.insert(whole.extents.end(), set.extents.begin(), set.extents.end());
    }
    host_info.record_reason = reason;
    host_info.unreadable_frames = whole.info.frames;
    preserved = {{whole.info.id.value(), whole}};
}

void Machine::arm(std::uint64_t token) {
    step("arm");
    if (token == 0 || !loaded) broken_rule("arming without a token or an image");
    for (const auto& [id, set] : preserved) {
        if (set.info.state == SetState::local && set.blob.empty()) {
            throw warmvm::PreservedError(std::make_error_code(std::errc::invalid_argument),
                                         {warmvm::Reason::no_blob, id}, "arm");
        }
    }
    armed_token = token;
}

void Machine::disarm() {
    step("disarm");
    armed_token = 0;
}

std::optional<warmvm::Refusal> Machine::verify() {
    step("verify");
    return verify_refusal;
}

warmvm::Survey Machine::survey() {
    step("survey");
    return survey_result;
}

// --- Store
// -----------------------------------------------------------------------------------------

std::optional<std::string> Machine::read(const std::string& path) {
    step("store read");
    const auto found = nodes.find(path);
    if (found == nodes.end()) return std::nullopt;
    return found->second;
}

void Machine::write(const std::string& path, const std::string& value) {
    step("store write");
    nodes[path] = value;
}

std::vector<std::string> Machine::list(const std::string& path) {
    step("store list");
    std::set<std::string> children;
    for (const auto& [name, value] : nodes) {
        if (!name.starts_with(path + "/")) continue;
        const auto rest = name.substr(path.size() + 1);
        children.insert(rest.substr(0, rest.find('/')));
    }
    return {children.begin(), children.end()};
}

bool Machine::replace(const std::string& path, const std::string& expected,
                      const std::string& replacement) {
    step("store replace");
    const auto found = nodes.find(path);
    if (found == nodes.end() || found->second != expected) return false;
    found->second = replacement;
    return true;
}

void Machine::resume_domain(DomId domain) {
    step("store resume_domain");
    (void)get(domain);
}

// --- Kexec
// -----------------------------------------------------------------------------------------

void Machine::load(const warmvm::KexecImage& image) {
    step("load");
    loaded = image;
    // What it is given may be there for no longer than the call.
    loaded_kernel.clear();
    if (std::filesystem::exists(image.kernel)) {
        loaded_kernel = warmvm::read_file(image.kernel, std::size_t{1} << 30);
    }
}

void Machine::unload() {
    step("unload");
    loaded.reset();
}

// --- System
// ----------------------------------------------------------------------------------------

std::uint64_t Machine::tsc() {
    return tsc_ += 10;
}

void Machine::sleep(std::chrono::milliseconds) {
    step("sleep");
    for (auto& [id, left] : late_) {
        auto& domain = get(DomId(id));
        if (left > 0 && --left == 0) {
            domain.shutdown = warmvm::ShutdownReason::suspend;
        } else if (left == 0 && domain.shutdown) {
            ++domain.stood_still;
        }
    }
}

std::uint64_t Machine::random_token() {
    return 0x1122334455667788;
}

std::string Machine::boot_id() {
    step("boot_id");
    return boot;
}

void Machine::keep_units(const std::string&, const std::vector<std::string>& patterns) {
    step("keep_units");
    if (std::ranges::find(patterns, "xendomains.service") == patterns.end()) {
        broken_rule("xendomains is stopped, and with it every guest");
    }
}

void Machine::isolate(const std::string& target) {
    step("isolate");
    services_up = target == "default.target";
    if (!services_up && on_warm_target) on_warm_target();
}

bool Machine::is_active(const std::string& unit) {
    step("is_active");
    return unit == "default.target" && services_up;
}

bool Machine::has_other_jobs(const std::vector<std::string>&) {
    step("has_other_jobs");
    return other_jobs-- > 0;
}

void Machine::sync() {
    step("sync");
}

void Machine::remount_read_only() {
    step("remount_read_only");
    read_only = true;
}

void Machine::remount_writable() {
    step("remount_writable");
    read_only = false;
}

void Machine::reboot() {
    step("reboot");
    if (!read_only) broken_rule("reboot with writable file systems");
    for (const auto& [id, domain] : domains) {
        if (!domain.held) broken_rule("reboot while " + domain.name + " is not preserved");
    }
    jumped = true;
    throw Rebooted{};
}

}  // namespace fake
