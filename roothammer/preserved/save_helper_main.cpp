// SPDX-License-Identifier: GPL-2.0-only
// warmvm-save-helper: libxl's save helper that preserves a guest's memory and adopts it again, in
// the place of copying it.
#include "base/file.hpp"
#include "guest/save_helper.hpp"
#include "preserved/restore_preserved.hpp"
#include "preserved/save_preserved.hpp"

namespace {

using namespace warmvm;

struct RealPorts {
    std::unique_ptr<DomainControl> domains = open_domain_control();
    std::unique_ptr<GuestContext> context = open_guest_context();
    std::unique_ptr<GuestMemory> memory = open_guest_memory();
    std::unique_ptr<PreservedMemory> preserved = open_preserved_memory();
    [[nodiscard]] HelperPorts view() const { return {*domains, *context, *memory, *preserved}; }
};

void require_plain_stream(StreamKind stream) {
    if (stream != StreamKind::plain) {
        throw Error::of(std::errc::not_supported, "a checkpointed stream");
    }
}

class PreservingHelper final : public SaveHelper {
  public:
    void save(const SaveRequest& request, HelperConversation& libxl,
              const HeldSave& gate) override {
        require_plain_stream(request.stream);
        if (request.live) throw Error::of(std::errc::not_supported, "a live migration");
        if (!HelperConversation::is_wanted<save_helper::Suspend>(request.callbacks)) {
            throw Error::of(std::errc::protocol_error, "libxl has no suspend callback");
        }
        const RealPorts ports;
        check_hypervisor_version(*ports.domains);
        save_preserved(
            ports.view(), request.domain, [&] { libxl.hold(gate); },
            [&] { return libxl.suspend(); },
            [&](ByteView image) { write_exactly(request.fd, image, "image"); });
    }

    void restore(const RestoreRequest& request, HelperConversation& libxl) override {
        require_plain_stream(request.stream);
        const RealPorts ports;
        check_hypervisor_version(*ports.domains);
        FdSource source(request.fd, "image");
        const auto results = restore_preserved(
            ports.view(), request.domain, source, request.channels, [&](unsigned missing) {
                return HelperConversation::is_wanted<save_helper::StaticDataDone>(request.callbacks)
                           ? libxl.ask<save_helper::StaticDataDone>(missing)
                           : 0;
            });
        libxl.tell<save_helper::RestoreResults>(results.store_gfn, results.console_gfn);
    }
};

}  // namespace

int main(int argc, char** argv) {
    PreservingHelper helper;
    return run_save_helper("warmvm-save-helper", argc, argv, helper);
}
