// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <functional>
#include <string>

namespace warmvm {

// Something done to a guest that is undone when the object ends, whatever becomes of the rest.
class Undo {
  public:
    // what, mend: what is left for the operator to mend, and how, should undoing fail at the end:
    // "guest db is still paused", "xl unpause db".
    Undo(std::function<void()> undo, std::string what, std::string mend);
    // Logs a failure.
    ~Undo();
    Undo(const Undo&) = delete;
    Undo& operator=(const Undo&) = delete;

    // Undoes it now; once. What that throws is the caller's, and it is tried once more at the end.
    // A domain that is gone (no_such_process) took with it all that was done to it: no error.
    void now();

  private:
    std::function<void()> undo_;
    std::string what_;
    std::string mend_;
};

}  // namespace warmvm
