// SPDX-License-Identifier: GPL-2.0-only
// Preserved memory: named sets of frames, and a blob of ours with each, that outlive the
// hypervisor. The hypervisor's side and the meaning of every field: xen/include/public/preserved.h
// of the patched tree. RootHammer (Kourai and Chiba, TDSC 2011, section 4) calls it on-memory
// suspend.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "xen/types.hpp"

namespace warmvm {

// XEN_PRESERVED_REASON_*; values of a newer hypervisor pass through unnamed.
enum class Reason : std::uint32_t {
    none = 0,
    no_range = 1,
    no_image = 2,
    image_changed = 3,
    not_a_guest = 4,
    dying = 5,
    not_suspended = 6,
    passthrough = 7,
    log_dirty = 8,
    mem_feature = 9,
    frame_type = 10,
    frame_range = 11,
    partial_type = 12,
    no_memory = 13,
    state = 14,
    no_blob = 15,
    mismatch = 16,
    frames_out = 17,
    token = 18,
    changed = 19,
    magic = 32,
    version = 33,
    length = 34,
    checksum = 35,
    encoding = 36,
    overlap = 37,
    not_ram = 38,
};

// In words, e.g. "a device is passed through to it".
std::string_view describe(Reason reason);
// What an operator can do about it; empty if nothing is known to help.
std::string_view mend(Reason reason);

struct Refusal {
    Reason reason{};
    std::uint64_t where{};  // the frame or set the reason speaks of, else 0
    // describe(), with the frame where the reason speaks of one.
    [[nodiscard]] std::string str() const;
    friend bool operator==(const Refusal&, const Refusal&) = default;
};

// An operation of the hypervisor's that failed and said why.
class PreservedError : public Error {
  public:
    PreservedError(std::error_code code, Refusal refusal, const std::string& what);
    [[nodiscard]] Refusal refusal() const { return refusal_; }

  private:
    Refusal refusal_;
};

struct PreservedInfo {
    bool range = false;                           // a range is reserved (liveupdate= on this boot)
    bool warm = false;                            // this boot was a warm one
    bool image = false;                           // an image of type LIVE_UPDATE is loaded
    bool armed = false;                           // dom0's reboot will jump
    std::uint64_t range_start{}, range_size{};    // bytes
    std::uint64_t window_start{}, window_size{};  // bytes; where every generation of Xen lies
    std::uint64_t boot_need{};  // bytes of the range the next boot needs beside its modules
    std::uint64_t boot_used{};  // bytes this boot took so; 0 if it was a cold one
    std::uint64_t image_bytes{};
    std::uint64_t unreadable_frames{};
    std::uint32_t generation{};  // warm boots since the last cold one
    Reason record_reason{};      // why the whole record is unreadable
    std::uint32_t tsc_khz{};
    // Time stamp counter, 0 if unknown; it runs on over a warm boot.
    std::uint64_t tsc_armed{}, tsc_jump{}, tsc_entry{}, tsc_heap{}, tsc_dom0{};
};

enum class SetState : std::uint8_t { local = 0, inherited = 1, adopted = 2, unreadable = 3 };
std::string_view describe(SetState state);

struct TscSpan {
    std::uint64_t begin{}, end{};
};

struct PreservedSet {
    SetId id;
    SetState state{};
    bool is_pv = false;  // else PVH or HVM
    Reason reason{};     // unreadable: why
    DomId domid;         // local, adopted: the domain; else the one it was
    std::uint32_t generation{};
    Uuid uuid;
    std::uint64_t frames{};
    std::uint64_t extents{};
    std::uint64_t metadata_bytes{};
    std::uint64_t blob_bytes{};
    std::uint64_t frames_out{};
    TscSpan tsc_preserve, tsc_adopt;
    std::uint64_t ticks_preserve{}, ticks_adopt{};  // of that, not preempted
};

// A run of frames, contiguous in both numberings.
struct Extent {
    std::uint64_t gfn{};  // PV: its pfn
    Mfn mfn;
    std::uint32_t count{};
    std::uint32_t pin{};  // PV: level 1..4 of a pinned page table (count is 1), else 0
    friend bool operator==(const Extent&, const Extent&) = default;
};

struct Survey {
    std::uint64_t frames{};       // what the next boot could allocate outside the range
    std::uint64_t largest_run{};  // frames
};

// Port to the hypervisor. Every call may throw PreservedError, or Error if the hypercall itself
// cannot be made (not dom0, no privilege).
class PreservedMemory {
  public:
    virtual ~PreservedMemory() = default;

    // nullopt: this hypervisor does not have the feature.
    virtual std::optional<PreservedInfo> info() = 0;
    virtual std::vector<PreservedSet> sets() = 0;
    // Could the domain be preserved, were it suspended? Changes nothing.
    virtual std::variant<PreservedSet, Refusal> check(DomId domain) = 0;
    // The domain is suspended; the hypervisor holds it paused until release().
    virtual SetId preserve(DomId domain) = 0;
    virtual void release(SetId set) = 0;
    virtual void set_blob(SetId set, std::span<const std::byte> blob) = 0;
    virtual std::vector<std::byte> blob(SetId set) = 0;
    virtual std::vector<Extent> extents(SetId set) = 0;
    // Frames of inherited sets; out is a multiple of page_size long.
    virtual void read(Mfn first, std::span<std::byte> out) = 0;
    virtual void adopt(SetId set, DomId domain) = 0;
    // The ticks that it took, preemption not counted; the set is gone, and cannot say so itself.
    virtual std::uint64_t commit(SetId set) = 0;
    // Scrubs and frees.
    virtual void discard(SetId set) = 0;
    virtual void arm(std::uint64_t token) = 0;
    virtual void disarm() = 0;
    // nullopt: the loaded image is the one that was loaded.
    virtual std::optional<Refusal> verify() = 0;
    virtual Survey survey() = 0;
};

std::unique_ptr<PreservedMemory> open_preserved_memory();

// A preserved guest's blob must not make the toolstack swallow any amount of memory.
inline constexpr std::uint64_t max_blob_bytes = 256u << 20;

}  // namespace warmvm
