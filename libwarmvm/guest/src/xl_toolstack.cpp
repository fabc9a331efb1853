// SPDX-License-Identifier: GPL-2.0-only
#include "guest/toolstack.hpp"

#include <poll.h>

#include <algorithm>

#include "base/process.hpp"
#include "guest/save_gate.hpp"

namespace warmvm {
namespace {

// A save that is not held after this long is not waited for any more. The time counts from xl's
// start, so that several that hang, started together, are not waited for one by one.
constexpr std::chrono::seconds hold_limit{30};

class XlToolstack final : public Toolstack {
  public:
    explicit XlToolstack(std::filesystem::path helper) : helper_(std::move(helper)) {}

    std::unique_ptr<ToolstackJob> start_save(DomId domain, const std::filesystem::path& file,
                                             std::chrono::milliseconds timeout) override {
        // -p: keep the domain, paused, as it is.
        return std::make_unique<Save>(request({"save", "-p", id(domain), file.string()}, timeout,
                                              /*dies_with_us=*/true));
    }
    std::size_t first_ended(std::span<ToolstackJob* const> jobs) override {
        std::vector<pollfd> descriptors;
        std::size_t next = 0;  // to run out of time
        std::optional<std::chrono::milliseconds> left;
        for (auto* job : jobs) {
            const auto& process = static_cast<Save*>(job)->process;
            descriptors.push_back({process.descriptor(), POLLIN, 0});
            const auto its = process.time_left();
            if (its && (!left || *its < *left)) {
                left = its;
                next = descriptors.size() - 1;
            }
        }
        const int ready = ::poll(descriptors.data(), descriptors.size(),
                                 left ? static_cast<int>(left->count()) : -1);
        if (ready < 0 && errno != EINTR) throw Error::from_errno("poll");
        const auto ended =
            std::ranges::find_if(descriptors, [](const auto& each) { return each.revents != 0; });
        if (ready <= 0 || ended == descriptors.end()) return next;
        return static_cast<std::size_t>(ended - descriptors.begin());
    }
    ToolstackResult restore(const std::filesystem::path& file) override {
        // xl leaves a daemon behind that looks after the guest: it has no limit and no ties to us.
        return run(
            request({"restore", "-p", file.string()}, std::nullopt, false,
                    {{"BASH_ENV", (helper_.parent_path() / "stock-scripts.bash").string()}}));
    }
    ToolstackResult shutdown(DomId domain, std::chrono::milliseconds timeout) override {
        // -ww: until the domain is gone; with one w a guest that has only stopped would do.
        return run(request({"shutdown", "-ww", id(domain)}, timeout, true));
    }
    ToolstackResult destroy(DomId domain) override {
        return run(request({"destroy", id(domain)}, std::nullopt, false));
    }

  private:
    struct Save final : ToolstackJob {
        explicit Save(ProcessRequest request) : process(with_gate(std::move(request), gate)) {
            gate.close_helper_end();
        }
        void wait_until_held() override { gate.wait_until_held(held_by); }
        void let_go() override {
            process.restart_clock();
            gate.let_go();
        }
        ToolstackResult result() override {
            auto result = result_of(process.wait());
            if (result.outcome != ToolstackOutcome::failed) return result;
            // The helper knows more than xl of how it failed: such a guest may yet suspend.
            if (gate.outcome() == HelperOutcome::did_not_suspend) {
                result.outcome = ToolstackOutcome::timed_out;
            } else if (gate.has_died()) {
                result.outcome = ToolstackOutcome::died;
            }
            return result;
        }
        // The gate outlives the process, which is to be ended by its signal and not by this.
        SaveGate gate;
        std::chrono::steady_clock::time_point held_by =
            std::chrono::steady_clock::now() + hold_limit;
        Process process;
    };

    static ProcessRequest with_gate(ProcessRequest request, const SaveGate& gate) {
        request.inherited.push_back(gate.helper_end());
        request.environment.push_back(gate.variable());
        return request;
    }

    static std::string id(DomId domain) { return std::to_string(domain.value()); }
    static ToolstackResult run(const ProcessRequest& request) {
        return result_of(run_process(request));
    }

    [[nodiscard]] ProcessRequest request(
        std::vector<std::string> arguments, std::optional<std::chrono::milliseconds> timeout,
        bool dies_with_us,
        std::vector<std::pair<std::string, std::string>> environment = {}) const {
        ProcessRequest request;
        request.argv = std::move(arguments);
        request.argv.insert(request.argv.begin(), "xl");
        request.environment = std::move(environment);
        request.environment.emplace_back("LIBXL_SAVE_HELPER", helper_.string());
        request.timeout = timeout;
        request.dies_with_us = dies_with_us;
        return request;
    }

    static ToolstackResult result_of(const ProcessResult& result) {
        if (result.ok()) return {ToolstackOutcome::done, {}};
        if (result.timed_out) return {ToolstackOutcome::timed_out, reason(result.output)};
        constexpr int signalled = 128;
        return {result.status > signalled ? ToolstackOutcome::died : ToolstackOutcome::failed,
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
        return last_line(output);
    }

    std::filesystem::path helper_;
};

}  // namespace

std::unique_ptr<Toolstack> open_xl(std::filesystem::path helper) {
    return std::make_unique<XlToolstack>(std::move(helper));
}

}  // namespace warmvm
