// SPDX-License-Identifier: GPL-2.0-only
// Where a save is held, with all it needs prepared, until its guest may be asked to suspend; and
// where its helper says what became of it. The starter's end and the helper's are a pair of
// sockets; the helper's is inherited through xl.
//
//   helper -> starter: one octet when it is held, one when it has ended (HelperOutcome)
//   starter -> helper: one octet that lets it go
//
// A starter that ends, or closes its end, has given the save up. A helper that ends without saying
// what became of it has died.
#pragma once

#include <csignal>

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "base/file.hpp"

namespace warmvm {

// The octets by which a helper says how its part of a save ended.
enum class HelperOutcome : char {
    done = 'd',
    did_not_suspend = 's',  // the guest was asked, and may yet suspend
    failed = 'f',
};

// The starter's end.
class SaveGate {
  public:
    SaveGate();
    // The child inherits the descriptor, and the variable tells the helper which it is.
    [[nodiscard]] int helper_end() const { return helper_.get(); }
    [[nodiscard]] std::pair<std::string, std::string> variable() const;
    // The child has it by now. From then on the end of whoever is held at the gate is noticed.
    void close_helper_end() { helper_.reset(); }

    // Returns when the helper is held, has ended, or the deadline is over.
    void wait_until_held(std::chrono::steady_clock::time_point deadline) const;
    void let_go();

    // After the toolstack has ended: what the helper said last. nullopt: it never came to be let go
    // (so it has asked nothing of the guest), or has died since (has_died()).
    [[nodiscard]] std::optional<HelperOutcome> outcome();
    // The helper was held and let go, and has said nothing since.
    [[nodiscard]] bool has_died();

  private:
    void take_words();

    Fd starter_;
    Fd helper_;
    bool was_held_ = false;
    bool let_go_ = false;
    std::optional<HelperOutcome> outcome_;
};

// The helper's end. Without a gate in its environment nothing is waited for and nothing said.
class HeldSave {
  public:
    // Throws Error (invalid_argument) if the variable names no descriptor.
    HeldSave();
    // Returns when the save is let go. Throws if it is given up, or a signal that is not in
    // `blocked` ends the wait.
    void hold(const sigset_t& blocked) const;
    // A starter that has gone needs no word.
    void end(HelperOutcome outcome) const noexcept;

  private:
    Fd gate_;
};

}  // namespace warmvm
