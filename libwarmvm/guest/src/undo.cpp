// SPDX-License-Identifier: GPL-2.0-only
#include "guest/undo.hpp"

#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"

namespace warmvm {

Undo::Undo(std::function<void()> undo, std::string what, std::string mend)
    : undo_(std::move(undo)), what_(std::move(what)), mend_(std::move(mend)) {}

Undo::~Undo() {
    try {
        now();
    } catch (const std::exception& error) {
        log(what_ + "; " + mend_ + ": " + error.what());
    }
}

void Undo::now() {
    if (!undo_) return;
    try {
        undo_();
    } catch (const Error& error) {
        if (error.code() != std::errc::no_such_process) throw;
    }
    undo_ = nullptr;
}

}  // namespace warmvm
