// SPDX-License-Identifier: GPL-2.0-only
#include "closed.hpp"

#include <cerrno>
#include <string_view>

#include "base/file.hpp"

namespace warmvm {
namespace {

std::string first_line(const std::filesystem::path& file) {
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) return {};
    try {
        const auto text = read_text_file(file);
        return text.substr(0, text.find('\n'));
    } catch (const Error&) {
        return {};
    }
}

std::string meaning(int error, std::string_view call, const std::filesystem::path& root) {
    if (error == EACCES || error == EPERM) return "only root may use it; run this as root";
    std::error_code ignored;
    // A kernel may lack the one or the other, and an initramfs may not have mounted them.
    const bool is_xen = first_line(root / "sys/hypervisor/type") == "xen" ||
                        std::filesystem::exists(root / "proc/xen", ignored) ||
                        std::filesystem::exists(root / "dev/xen", ignored);
    if (!is_xen) return "Xen does not seem to run here; this is for the dom0 of a Xen host";
    if (!std::filesystem::exists(root / "dev/xen/privcmd", ignored)) {
        return "the kernel's interface to Xen is not there: modprobe xen-privcmd";
    }
    // Without xenfs nobody knows, and nothing is said.
    const auto capabilities = first_line(root / "proc/xen/capabilities");
    if (std::filesystem::exists(root / "proc/xen/capabilities", ignored) &&
        capabilities.find("control_d") == std::string::npos) {
        return "this is a guest; only dom0 may do that";
    }
    if (call == "xs_open") return "xenstored does not answer: systemctl status xenstored";
    return "see dmesg";
}

}  // namespace

Error closed(const char* call, const std::filesystem::path& root) {
    const int error = errno;
    const auto text = std::string("Xen cannot be reached: ") + meaning(error, call, root);
    errno = error;
    return Error::from_errno(text + " (" + call + ")");
}

}  // namespace warmvm
