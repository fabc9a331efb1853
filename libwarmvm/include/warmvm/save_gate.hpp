// SPDX-License-Identifier: GPL-2.0-only
// Where a save waits, with all it needs prepared, until its guest may be asked to suspend. The
// starter's end and the helper's are a pair of sockets; the helper's is inherited through xl. One
// octet from the helper says that it waits, one from the starter lets it through. A starter that
// ends, or closes its end, has given the save up.
#pragma once

#include <csignal>

#include <chrono>
#include <string>
#include <utility>

#include "warmvm/file.hpp"

namespace warmvm {

class SaveGate {
  public:
    SaveGate();
    // For the child: the descriptor to inherit, and the variable that tells the helper which it is.
    [[nodiscard]] int helper_end() const { return helper_.get(); }
    [[nodiscard]] std::pair<std::string, std::string> variable() const;
    // Once the child has it. From then on the end of whoever waits at the gate is noticed.
    void close_helper_end() { helper_.reset(); }

    // Until the helper waits, has ended, or the deadline is over.
    void wait_until_reached(std::chrono::steady_clock::time_point deadline) const;
    void open() const;

  private:
    Fd starter_;
    Fd helper_;
};

// In the helper: returns at once if there is no gate. Throws if the save is given up, or a signal
// that is not in blocked ends the wait.
void wait_at_save_gate(const sigset_t& blocked);

}  // namespace warmvm
