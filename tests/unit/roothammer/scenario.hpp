// SPDX-License-Identifier: GPL-2.0-only
// A host with three guests and a folder of its own, for tests of a whole warm reboot.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <functional>

#include "base/fault.hpp"
#include "fake_machine.hpp"
#include "guest/running_guests.hpp"
#include "guests.hpp"
#include "host/host.hpp"
#include "roothammer/freeze.hpp"
#include "roothammer/recover.hpp"
#include "roothammer/resume.hpp"
#include "roothammer/warm_reboot.hpp"
#include "temporary_folder.hpp"

namespace roothammer {

class Scenario : public ::testing::Test {
  protected:
    Scenario() {
        paths_.run = root_ / "run";
        paths_.state = root_ / "state";
        warmvm::set_log([this](const std::string& line) { lines_.push_back(line); });
        reset();
    }
    ~Scenario() override { warmvm::set_log({}); }

    void reset() {
        machine_ = std::make_unique<fake::Machine>();
        fake::add_pvh_guest(*machine_, "web");
        fake::add_pv_guest(*machine_, "mail");
        fake::add_pvh_guest(*machine_, "db");
        std::filesystem::remove_all(paths_.run);
        std::filesystem::remove_all(paths_.state);
        options_.images.xen_commandline = "dom0_mem=512M no-real-mode";
    }

    [[nodiscard]] Host host() { return machine_->host(paths_); }

    [[nodiscard]] Report report() {
        Report report;
        for (const auto& guest : running_guests(*machine_, *machine_)) {
            report.guests.push_back(
                {guest.info.id, guest.name, guest.info.uuid, GuestStage::running, true, ""});
        }
        return report;
    }

    void prepare() { start_warm_reboot(host(), options_, report()); }

    // From the operator's command to the new dom0's first moment.
    void reboot_warm() {
        prepare();
        EXPECT_THROW(freeze(host()), fake::Rebooted);
        machine_->boot_next();
        std::filesystem::remove_all(paths_.run);
    }

    // kill -9 in its first call of that name.
    void kill_in(const std::string& call, const std::function<void()>& program) {
        machine_->fail_in = call;
        machine_->kill = true;
        EXPECT_THROW(program(), fake::Killed);
        machine_->restart_program();
        machine_->kill = false;
    }
    void kill_freeze(const std::string& call) {
        prepare();
        kill_in(call, [&] { freeze(host()); });
    }
    void kill_resume(const std::string& guest, const std::string& call) {
        kill_in(call, [&] { resume(host(), {{guest}, false}); });
    }

    // Frames of every guest, by name and gfn, with what is in them.
    using Memory = std::map<std::string, std::map<std::uint64_t, std::pair<fake::Mfn, fake::Page>>>;
    [[nodiscard]] Memory memory() const {
        Memory memory;
        for (const auto& [id, domain] : machine_->domains) {
            for (const auto& [gfn, mfn] : domain.frames) {
                const auto page = machine_->ram.find(mfn.value());
                memory[domain.name][gfn] = {
                    mfn, page == machine_->ram.end() ? fake::Page{} : page->second};
            }
        }
        return memory;
    }

    std::vector<std::string> lines_;  // what was logged
    TemporaryFolder temporary_;
    const std::filesystem::path& root_ = temporary_.path();
    Paths paths_;
    WarmRebootOptions options_;
    std::unique_ptr<fake::Machine> machine_;
};

}  // namespace roothammer
