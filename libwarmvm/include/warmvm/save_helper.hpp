// SPDX-License-Identifier: GPL-2.0-only
// The two halves of a warm reboot that run inside libxl, as its save helper (the program named by
// LIBXL_SAVE_HELPER): instead of copying memory into or out of the stream, the guest's frames are
// preserved, and adopted again by the domain that libxl has made for it.
#pragma once

#include <functional>

#include "warmvm/domain_control.hpp"
#include "warmvm/guest_context.hpp"
#include "warmvm/guest_image.hpp"
#include "warmvm/guest_record.hpp"
#include "warmvm/preserved.hpp"

namespace warmvm {

struct HelperPorts {
    DomainControl& domains;
    GuestContext& context;
    GuestMemory& memory;
    PreservedMemory& preserved;
};

// Puts a set back (release) unless keep() was called: an unfinished freeze leaves the guest as it
// was.
class PreservedGuard {
  public:
    PreservedGuard(PreservedMemory& preserved, SetId set) : preserved_(preserved), set_(set) {}
    ~PreservedGuard();
    PreservedGuard(const PreservedGuard&) = delete;
    PreservedGuard& operator=(const PreservedGuard&) = delete;
    [[nodiscard]] SetId set() const { return set_; }
    void keep() { kept_ = true; }

  private:
    PreservedMemory& preserved_;
    SetId set_;
    bool kept_ = false;
};

// Prepares what it can and waits (wait_for_turn), suspends the guest (suspend returns false if
// libxl could not), preserves its memory and hands its image to write. If anything throws the set
// is released; waking the guest is libxl's part.
void save_preserved(const HelperPorts& ports, DomId domain,
                    const std::function<void()>& wait_for_turn,
                    const std::function<bool()>& suspend,
                    const std::function<void(ByteView)>& write);

struct RestoreChannels {
    Port store_port;
    DomId store_domid;
    Port console_port;
    DomId console_domid;
};
struct RestoreResults {
    std::uint64_t store_gfn{};  // PV: mfn
    std::uint64_t console_gfn{};
};

// What libxl's static_data_done is told to make up itself (XGR_SDD_MISSING_*).
inline constexpr unsigned missing_cpuid = 1u << 0;
inline constexpr unsigned missing_msr = 1u << 1;

// Reads an image from source, gives its set's frames to domain and sets the domain's state. Not
// committed: whoever ran libxl does that. If anything throws, destroying the domain gives the
// frames back. static_data_done returns 0 for success.
RestoreResults restore_preserved(const HelperPorts& ports, DomId domain, ByteSource& source,
                                 const RestoreChannels& channels,
                                 const std::function<int(unsigned missing)>& static_data_done);

// The frames of the guest that a resume writes, by name: the digest of a guest before the reboot
// and after may differ in these and no others.
struct WrittenFrame {
    std::string_view name;
    std::uint64_t gfn{};  // PV: pfn
};
std::vector<WrittenFrame> written_frames(const GuestImage& image);

// The program: argv is libxl's, its messages go over stdin and stdout. Returns the exit status.
int run_save_helper(int argc, char** argv);

}  // namespace warmvm
