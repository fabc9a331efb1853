// SPDX-License-Identifier: GPL-2.0-only
// A machine with a hypervisor, a dom0 and guests, small enough for a test: one object behind every
// port.
#pragma once

#include "fake_ports.hpp"

namespace fake {

class Machine final : public DomainControl,
                      public GuestContext,
                      public GuestMemory,
                      public LogDirty,
                      public PreservedMemory,
                      public Store,
                      public Kexec,
                      public Toolstack,
                      public System {
  public:
    // After reboot(): what the next hypervisor and dom0 find. Throws if the reboot was a cold one.
    void boot_next();
    [[nodiscard]] roothammer::Host host(const roothammer::Paths& paths);
    // Every guest runs, nothing is preserved, armed, loaded or shut down in dom0.
    [[nodiscard]] std::string what_is_not_as_before() const;

  private:
    warmvm::HelperPorts helper_ports() override { return {*this, *this, *this, *this}; }
};

}  // namespace fake
