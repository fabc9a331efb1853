// SPDX-License-Identifier: GPL-2.0-only
#include "fake_ports.hpp"

#include <filesystem>

#include "base/file.hpp"

namespace fake {

void Kexec::load(const warmvm::KexecImage& image) {
    step("load");
    loaded = image;
    // What it is given may be there for no longer than the call.
    loaded_kernel.clear();
    if (std::filesystem::exists(image.kernel)) {
        loaded_kernel = warmvm::read_file(image.kernel, std::size_t{1} << 30);
    }
}

void Kexec::unload() {
    step("unload");
    loaded.reset();
}

}  // namespace fake
