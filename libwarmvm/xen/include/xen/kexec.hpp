// SPDX-License-Identifier: GPL-2.0-only
// Port: the next hypervisor, loaded as a kexec image of type live-update.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace warmvm {

struct KexecImage {
    std::string xen;              // paths
    std::string xen_commandline;  // with preserved-token=; kexec-tools appends liveupdate=
    std::string kernel;
    std::string kernel_commandline;
    std::string initrd;
};

class Kexec {
  public:
    virtual ~Kexec() = default;
    // Replaces what is loaded. Throws Error with what kexec-tools said.
    virtual void load(const KexecImage& image) = 0;
    // Nothing loaded is not an error.
    virtual void unload() = 0;
};

// kexec-tools 2.0.23 or later does the loading. preload: a shared object for its LD_PRELOAD, or
// empty; in a PVH dom0 it does not see Xen without roothammer's kexec-on-pvh.so.
std::unique_ptr<Kexec> open_kexec(std::string program = "kexec",
                                  std::filesystem::path preload = {});

}  // namespace warmvm
