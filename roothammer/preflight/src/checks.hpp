// SPDX-License-Identifier: GPL-2.0-only
// The checks of a preflight, each in a source of its own.
#pragma once

#include <optional>
#include <string>

#include "host/host.hpp"
#include "preflight/dom0_kernel.hpp"
#include "preflight/preflight.hpp"
#include "preflight/report.hpp"
#include "preflight/xen_image.hpp"

namespace roothammer {

// What every check is given, and where it says what it found.
class Checked {
  public:
    Checked(const Host& on, const Images& of) : host(on), images(of) {}

    const Host& host;
    const Images& images;
    warmvm::PreservedInfo info;  // check_hypervisor()'s
    Report report;

    void ok(std::string subject, std::string text);
    void note(std::string subject, std::string text);
    void refuse(std::string subject, std::string text, std::string mend, bool about_guest = false);
};

// False: this hypervisor preserves nothing, and no other check has a meaning.
bool check_hypervisor(Checked& checked);
void check_images(Checked& checked);
// starts_as_pvh: of the kernel; nothing is said of a kernel if the images are not fit.
void check_dom0_type(Checked& checked, bool images_fit, std::optional<bool> starts_as_pvh);
void check_window(Checked& checked, const XenImage& xen);
void check_room(Checked& checked, const Dom0Kernel& kernel, std::uint64_t initrd_bytes);
void check_memory(Checked& checked);
void check_preserved(Checked& checked);
void check_guests(Checked& checked, OnGuestFailure policy);

std::string in_mib(std::uint64_t bytes);

}  // namespace roothammer
