// SPDX-License-Identifier: GPL-2.0-only
// Port: what only libxl can do, done by the operator's own xl, so that its configuration, its hooks
// and its per-guest monitor stay what they are.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "xen/types.hpp"

namespace warmvm {

enum class ToolstackOutcome {
    done,
    timed_out,
    died,    // xl, or the helper of a save: a guest that had been asked may yet suspend
    failed,  // xl has put back what it had done
};
struct ToolstackResult {
    ToolstackOutcome outcome{};
    std::string message;  // the tool's last words, if it failed
    [[nodiscard]] bool ok() const { return outcome == ToolstackOutcome::done; }
};

// A save that the toolstack is at. It does all that does not touch the guest and is then held until
// let_go(). One that is given up before its result is ended.
class ToolstackJob {
  public:
    virtual ~ToolstackJob() = default;
    // Returns when it is held, has ended, or takes too long to be worth the wait.
    virtual void wait_until_held() = 0;
    // It may suspend the guest now; its time limit counts from here. Once, before result().
    virtual void let_go() = 0;
    // Waits for it; once.
    virtual ToolstackResult result() = 0;
};

class Toolstack {
  public:
    virtual ~Toolstack() = default;
    // Suspend, preserve and leave paused; the image goes into file. After anything but done the
    // guest may be suspended or about to be: put_back() it.
    virtual std::unique_ptr<ToolstackJob> start_save(DomId domain,
                                                     const std::filesystem::path& file,
                                                     std::chrono::milliseconds timeout) = 0;
    // Which of jobs, at least one, has ended or run out of time first; waits for that.
    virtual std::size_t first_ended(std::span<ToolstackJob* const> jobs) = 0;
    // Make a domain of file, paused, its frames adopted.
    virtual ToolstackResult restore(const std::filesystem::path& file) = 0;
    // Ask the guest to shut down and wait until the domain is gone.
    virtual ToolstackResult shutdown(DomId domain, std::chrono::milliseconds timeout) = 0;
    virtual ToolstackResult destroy(DomId domain) = 0;
};

// helper: the program that libxl shall run as its save helper. Beside it is stock-scripts.bash, by
// which a restored guest's devices are plugged in without a shell (hotplug/plug.hpp).
std::unique_ptr<Toolstack> open_xl(std::filesystem::path helper);

}  // namespace warmvm
