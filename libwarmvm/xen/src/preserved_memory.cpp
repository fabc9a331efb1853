// SPDX-License-Identifier: GPL-2.0-only
// PreservedMemory by hypercall. The sysctl is not in the system's libxenctrl, so it is built here.
#include <algorithm>
#include <cstring>

#include "xen/preserved_memory.hpp"
#include "xen_c.hpp"

#include "xen/preserved.h"

namespace warmvm {
namespace {

static_assert(sizeof(xen_preserved_extent) == 24);
static_assert(sizeof(xen_preserved_set) == 120);
static_assert(sizeof(xen_preserved_info) == 128);
static_assert(sizeof(xen_sysctl_preserved_op) <= sizeof(xen_sysctl::u));

constexpr std::size_t list_batch = 32;
constexpr std::size_t extent_batch = 8192;
constexpr std::size_t blob_batch = 1u << 20;
constexpr std::size_t read_batch_frames = 1024;

PreservedSet to_set(const xen_preserved_set& raw) {
    PreservedSet set;
    set.id = SetId(raw.id);
    set.state = static_cast<SetState>(raw.state);
    set.is_pv = raw.type == XEN_PRESERVED_PV;
    set.reason = static_cast<Reason>(raw.reason);
    set.domid = DomId(raw.domid);
    set.generation = raw.generation;
    std::copy(std::begin(raw.handle), std::end(raw.handle), set.uuid.bytes.begin());
    set.frames = raw.frames;
    set.extents = raw.extents;
    set.metadata_bytes = raw.metadata_bytes;
    set.blob_bytes = raw.blob_bytes;
    set.frames_out = raw.frames_out;
    set.tsc_preserve = {raw.tsc_preserve[0], raw.tsc_preserve[1]};
    set.tsc_adopt = {raw.tsc_adopt[0], raw.tsc_adopt[1]};
    set.ticks_preserve = raw.ticks_preserve;
    set.ticks_adopt = raw.ticks_adopt;
    return set;
}

std::string name(const char* op, SetId set) {
    return std::string(op) + "(set " + std::to_string(set.value()) + ")";
}

class XenPreservedMemory final : public PreservedMemory {
  public:
    XenPreservedMemory() : call_(owned<XencallHandle>(xencall_open(nullptr, 0), "xencall_open")) {}

    std::optional<PreservedInfo> info() override {
        const HypercallBuffer buffer(call_.get(), sizeof(xen_preserved_info));
        auto* raw = buffer.as<xen_preserved_info>();
        std::memset(raw, 0, sizeof(*raw));
        xen_sysctl_preserved_op op{};
        op.op = XEN_PRESERVED_INFO;
        op.count = sizeof(*raw);
        op.buffer.p = raw;
        if (attempt(op) < 0) {
            if (errno == ENOSYS || errno == EOPNOTSUPP) return std::nullopt;
            fail(op, "preserved_info");
        }
        if (raw->abi_version != XEN_PRESERVED_ABI_VERSION) {
            throw Error::of(std::errc::not_supported,
                            "preserved_info: the hypervisor speaks version " +
                                std::to_string(raw->abi_version) + ", this program version " +
                                std::to_string(XEN_PRESERVED_ABI_VERSION));
        }
        PreservedInfo info;
        info.range = raw->flags & XEN_PRESERVED_INFO_RANGE;
        info.warm = raw->flags & XEN_PRESERVED_INFO_WARM;
        info.image = raw->flags & XEN_PRESERVED_INFO_IMAGE;
        info.armed = raw->flags & XEN_PRESERVED_INFO_ARMED;
        info.range_start = raw->range_start;
        info.range_size = raw->range_size;
        info.window_start = raw->window_start;
        info.window_size = raw->window_size;
        info.boot_need = raw->boot_need;
        info.boot_used = raw->boot_used;
        info.image_bytes = raw->image_bytes;
        info.unreadable_frames = raw->unreadable_frames;
        info.generation = raw->generation;
        info.record_reason = static_cast<Reason>(raw->record_reason);
        info.tsc_khz = raw->tsc_khz;
        info.tsc_armed = raw->tsc_armed;
        info.tsc_jump = raw->tsc_jump;
        info.tsc_entry = raw->tsc_entry;
        info.tsc_heap = raw->tsc_heap;
        info.tsc_dom0 = raw->tsc_dom0;
        return info;
    }

    std::vector<PreservedSet> sets() override {
        const HypercallBuffer buffer(call_.get(), list_batch * sizeof(xen_preserved_set));
        std::vector<PreservedSet> sets;
        for (;;) {
            xen_sysctl_preserved_op op{};
            op.op = XEN_PRESERVED_LIST;
            op.offset = sets.size();
            op.count = list_batch;
            op.buffer.p = buffer.get();
            run(op, "preserved_list");
            const auto* raw = buffer.as<xen_preserved_set>();
            const auto got = std::min<std::uint64_t>(op.count, list_batch);
            for (std::uint64_t i = 0; i < got; ++i) sets.push_back(to_set(raw[i]));
            if (got < list_batch) return sets;
        }
    }

    std::variant<PreservedSet, Refusal> check(DomId domain) override {
        const HypercallBuffer buffer(call_.get(), sizeof(xen_preserved_set));
        auto* raw = buffer.as<xen_preserved_set>();
        std::memset(raw, 0, sizeof(*raw));
        xen_sysctl_preserved_op op{};
        op.op = XEN_PRESERVED_CHECK;
        op.domid = domain.value();
        op.count = 1;
        op.buffer.p = raw;
        if (attempt(op) < 0) {
            if (op.reason == XEN_PRESERVED_REASON_NONE) fail(op, name("preserved_check", domain));
            return Refusal{static_cast<Reason>(op.reason), op.where};
        }
        return to_set(*raw);
    }

    SetId preserve(DomId domain) override {
        xen_sysctl_preserved_op op{};
        op.op = XEN_PRESERVED_PRESERVE;
        op.domid = domain.value();
        run(op, name("preserve", domain));
        return SetId(op.id);
    }

    void release(SetId set) override { simple(XEN_PRESERVED_RELEASE, set, "preserved_release"); }

    void set_blob(SetId set, std::span<const std::byte> blob) override {
        const HypercallBuffer buffer(call_.get(), std::min(blob.size(), blob_batch));
        std::size_t at = 0;
        do {
            const auto part = blob.subspan(at, std::min(blob.size() - at, blob_batch));
            std::memcpy(buffer.get(), part.data(), part.size());
            xen_sysctl_preserved_op op{};
            op.op = XEN_PRESERVED_SET_BLOB;
            op.id = set.value();
            op.offset = at;
            op.count = part.size();
            op.buffer.p = buffer.get();
            run(op, name("preserved_set_blob", set));
            at += part.size();
        } while (at < blob.size());
    }

    std::vector<std::byte> blob(SetId set) override {
        const HypercallBuffer buffer(call_.get(), blob_batch);
        std::vector<std::byte> blob;
        for (;;) {
            xen_sysctl_preserved_op op{};
            op.op = XEN_PRESERVED_GET_BLOB;
            op.id = set.value();
            op.offset = blob.size();
            op.count = blob_batch;
            op.buffer.p = buffer.get();
            run(op, name("preserved_get_blob", set));
            const auto got = std::min<std::uint64_t>(op.count, blob_batch);
            const auto* bytes = buffer.as<std::byte>();
            blob.insert(blob.end(), bytes, bytes + got);
            if (blob.size() > max_blob_bytes) {
                throw Error(StreamErrc::too_big, name("preserved_get_blob", set));
            }
            if (got < blob_batch) return blob;
        }
    }

    std::vector<Extent> extents(SetId set) override {
        const HypercallBuffer buffer(call_.get(), extent_batch * sizeof(xen_preserved_extent));
        std::vector<Extent> extents;
        for (;;) {
            xen_sysctl_preserved_op op{};
            op.op = XEN_PRESERVED_EXTENTS;
            op.id = set.value();
            op.offset = extents.size();
            op.count = extent_batch;
            op.buffer.p = buffer.get();
            run(op, name("preserved_extents", set));
            const auto* raw = buffer.as<xen_preserved_extent>();
            const auto got = std::min<std::uint64_t>(op.count, extent_batch);
            for (std::uint64_t i = 0; i < got; ++i) {
                extents.push_back({raw[i].gfn, Mfn(raw[i].mfn), raw[i].count, raw[i].pin});
            }
            if (got < extent_batch) return extents;
        }
    }

    void read(Mfn first, std::span<std::byte> out) override {
        const auto frames = out.size() / page_size;
        const HypercallBuffer buffer(call_.get(), std::min(frames, read_batch_frames) * page_size);
        for (std::size_t done = 0; done < frames;) {
            const auto batch = std::min(frames - done, read_batch_frames);
            xen_sysctl_preserved_op op{};
            op.op = XEN_PRESERVED_READ;
            op.offset = first.value() + done;
            op.count = batch;
            op.buffer.p = buffer.get();
            run(op, "preserved_read");
            std::memcpy(out.data() + done * page_size, buffer.get(), batch * page_size);
            done += batch;
        }
    }

    void adopt(SetId set, DomId domain) override {
        xen_sysctl_preserved_op op{};
        op.op = XEN_PRESERVED_ADOPT;
        op.id = set.value();
        op.domid = domain.value();
        run(op, name("adopt", set) + " into dom" + std::to_string(domain.value()));
    }

    std::uint64_t commit(SetId set) override {
        return simple(XEN_PRESERVED_COMMIT, set, "preserved_commit").count;
    }
    void discard(SetId set) override { simple(XEN_PRESERVED_DISCARD, set, "preserved_discard"); }

    void arm(std::uint64_t token) override {
        xen_sysctl_preserved_op op{};
        op.op = XEN_PRESERVED_ARM;
        op.offset = token;
        run(op, "preserved_arm");
    }

    void disarm() override { simple(XEN_PRESERVED_DISARM, SetId(0), "preserved_disarm"); }

    std::optional<Refusal> verify() override {
        xen_sysctl_preserved_op op{};
        op.op = XEN_PRESERVED_VERIFY;
        if (attempt(op) < 0) {
            if (op.reason == XEN_PRESERVED_REASON_NONE) fail(op, "preserved_verify");
            return Refusal{static_cast<Reason>(op.reason), op.where};
        }
        return std::nullopt;
    }

    Survey survey() override {
        const HypercallBuffer buffer(call_.get(), sizeof(xen_preserved_survey));
        xen_sysctl_preserved_op op{};
        op.op = XEN_PRESERVED_SURVEY;
        op.count = 1;
        op.buffer.p = buffer.get();
        run(op, "preserved_survey");
        const auto* raw = buffer.as<xen_preserved_survey>();
        return {raw->frames, raw->largest_run};
    }

  private:
    int attempt(xen_sysctl_preserved_op& op) {
        const HypercallBuffer buffer(call_.get(), sizeof(xen_sysctl));
        auto* sysctl = buffer.as<xen_sysctl>();
        std::memset(sysctl, 0, sizeof(*sysctl));
        sysctl->cmd = XEN_SYSCTL_preserved_op;
        sysctl->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
        std::memcpy(&sysctl->u, &op, sizeof(op));
        const int result =
            xencall1(call_.get(), __HYPERVISOR_sysctl, reinterpret_cast<std::uintptr_t>(sysctl));
        const int saved = errno;
        std::memcpy(&op, &sysctl->u, sizeof(op));
        errno = saved;
        return result;
    }

    [[noreturn]] static void fail(const xen_sysctl_preserved_op& op, const std::string& what) {
        throw PreservedError({errno, std::generic_category()},
                             {static_cast<Reason>(op.reason), op.where}, what);
    }

    void run(xen_sysctl_preserved_op& op, const std::string& what) {
        if (attempt(op) < 0) fail(op, what);
    }

    xen_sysctl_preserved_op simple(std::uint32_t number, SetId set, const char* what) {
        xen_sysctl_preserved_op op{};
        op.op = number;
        op.id = set.value();
        run(op, name(what, set));
        return op;
    }

    XencallHandle call_;
};

}  // namespace

std::unique_ptr<PreservedMemory> open_preserved_memory() {
    return std::make_unique<XenPreservedMemory>();
}

}  // namespace warmvm
