// SPDX-License-Identifier: GPL-2.0-only
#include "roothammer/toolstack.hpp"
#include "warmvm/process.hpp"

namespace roothammer {
namespace {

class XlToolstack final : public Toolstack {
  public:
    explicit XlToolstack(std::filesystem::path helper) : helper_(std::move(helper)) {}

    ToolstackResult save(warmvm::DomId domain, const std::filesystem::path& file,
                         std::chrono::milliseconds timeout) override {
        // -p: keep the domain, paused, as it is.
        auto result = run({"save", "-p", id(domain), file.string()}, timeout, true);
        // The helper's words when libxl's own limits have run out: such a guest may yet suspend.
        if (!result.ok() && result.message.find("did not suspend") != std::string::npos) {
            result.outcome = ToolstackOutcome::timed_out;
        }
        return result;
    }
    ToolstackResult restore(const std::filesystem::path& file) override {
        // No limit and no ties: it leaves a daemon behind that looks after the guest.
        return run({"restore", "-p", file.string()}, std::nullopt, false,
                   {{"BASH_ENV", (helper_.parent_path() / "stock-scripts.bash").string()}});
    }
    ToolstackResult shutdown(warmvm::DomId domain, std::chrono::milliseconds timeout) override {
        return run({"shutdown", "-w", id(domain)}, timeout, true);
    }
    ToolstackResult destroy(warmvm::DomId domain) override {
        return run({"destroy", id(domain)}, std::nullopt, false);
    }

  private:
    static std::string id(warmvm::DomId domain) { return std::to_string(domain.value()); }

    ToolstackResult run(std::vector<std::string> arguments,
                        std::optional<std::chrono::milliseconds> timeout, bool dies_with_us,
                        std::vector<std::pair<std::string, std::string>> environment = {}) {
        warmvm::ProcessRequest request;
        request.argv = std::move(arguments);
        request.argv.insert(request.argv.begin(), "xl");
        request.environment = std::move(environment);
        request.environment.emplace_back("LIBXL_SAVE_HELPER", helper_.string());
        request.timeout = timeout;
        request.dies_with_us = dies_with_us;
        const auto result = warmvm::run_process(request);
        if (result.ok()) return {ToolstackOutcome::done, {}};
        return {result.timed_out ? ToolstackOutcome::timed_out : ToolstackOutcome::failed,
                reason(result.output)};
    }

    // The helper's own words say more than what libxl makes of them, and libxl's first error more
    // than those that follow from it.
    static std::string reason(const std::string& output) {
        for (const std::string_view mark : {"warmvm-save-helper: error: ", ": error: "}) {
            const auto at = output.find(mark);
            if (at == std::string::npos) continue;
            const auto first = at + mark.size();
            return output.substr(first, output.find('\n', first) - first);
        }
        return warmvm::last_line(output);
    }

    std::filesystem::path helper_;
};

}  // namespace

std::unique_ptr<Toolstack> open_xl(std::filesystem::path helper) {
    return std::make_unique<XlToolstack>(std::move(helper));
}

}  // namespace roothammer
