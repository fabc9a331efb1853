// SPDX-License-Identifier: GPL-2.0-only
#include "xen/guest_memory.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "xen_c.hpp"

namespace warmvm {
namespace {

constexpr std::size_t map_batch = 1024;
constexpr std::size_t m2p_chunk = std::size_t{2} << 20;
constexpr std::uint64_t no_pfn = std::uint64_t{1} << 63;  // INVALID_M2P_ENTRY, SHARED_M2P_ENTRY

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

std::unique_ptr<GuestMemory> open_guest_memory() {
    return std::make_unique<XenGuestMemory>();
}

}  // namespace warmvm
