// SPDX-License-Identifier: GPL-2.0-only
#include "xen/kexec.hpp"
#include "base/process.hpp"
#include "xen_c.hpp"

namespace warmvm {
namespace {

// KEXEC_TYPE_LIVE_UPDATE of the patched tree's kexec.h; kexec-tools has the same number.
constexpr int live_update = 2;

class ToolsKexec final : public Kexec {
  public:
    ToolsKexec(std::string program, std::filesystem::path preload)
        : program_(std::move(program)), preload_(std::move(preload)) {}

    void load(const KexecImage& image) override {
        // --no-checks: purgatory would hash the image after the jump, a second of every guest's
        // downtime; the hypervisor keeps a digest from load time and ARM compares it.
        std::vector<std::pair<std::string, std::string>> environment;
        if (!preload_.empty()) {
            // The loader would go on without it.
            if (!std::filesystem::exists(preload_)) {
                throw Error::of(std::errc::no_such_file_or_directory, preload_.string());
            }
            environment.emplace_back("LD_PRELOAD", preload_.string());
        }
        const auto result = run_process(
            {.argv = {program_, "--load-live-update", "--no-checks", "-t", "multiboot2-x86",
                      image.xen, "--command-line=" + image.xen_commandline,
                      "--module=" + image.kernel + " " + image.kernel_commandline,
                      "--module=" + image.initrd},
             .environment = environment,
             .timeout = {},
             .dies_with_us = true});
        if (!result.ok()) {
            throw Error::of(std::errc::invalid_argument,
                            "kexec --load-live-update: " + last_line(result.output));
        }
    }

    void unload() override {
        const auto xc = open_xc();
        if (xc_kexec_unload(xc.get(), live_update) < 0 && errno != ENOENT) {
            throw Error::from_errno("xc_kexec_unload");
        }
    }

  private:
    std::string program_;
    std::filesystem::path preload_;
};

}  // namespace

std::unique_ptr<Kexec> open_kexec(std::string program, std::filesystem::path preload) {
    return std::make_unique<ToolsKexec>(std::move(program), std::move(preload));
}

}  // namespace warmvm
