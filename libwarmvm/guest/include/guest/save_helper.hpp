// SPDX-License-Identifier: GPL-2.0-only
// The program that libxl runs for every save, restore and migration (LIBXL_SAVE_HELPER;
// tools/libs/light/libxl_save_callout.c, libxl_save_helper.c), as a skeleton: what is done with the
// guest is the caller's. What such a program says to libxl is the far end of libxl's suspend,
// checkpoint and restore callbacks.
#pragma once

#include <csignal>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "guest/save_gate.hpp"
#include "xen/save_helper_codes.hpp"
#include "xen/save_helper_protocol.hpp"
#include "xen/types.hpp"

namespace warmvm {

// Messages over stdin and stdout. Losing libxl, or SIGTERM from it, ends a wait with Error
// (operation_canceled).
class HelperConversation {
  public:
    // program: what log lines are signed with.
    explicit HelperConversation(std::string program) : program_(std::move(program)) {}

    // SIGTERM ends a wait from here on and nothing else; the process dies with libxl, since without
    // xl there is nobody to wake a guest that it would suspend or preserve.
    void take_signals();

    template <class Call, class... Args>
    void tell(Args... arguments) {
        static_assert(!Call::replies);
        send(Call::encode(arguments...));
    }
    // What libxl answers.
    template <class Call, class... Args>
    int ask(Args... arguments) {
        static_assert(Call::replies);
        send(Call::encode(arguments...));
        return reply();
    }
    // Whether libxl wants this call; `callbacks` is what it said at the start.
    template <class Call>
    static bool is_wanted(unsigned callbacks) {
        return (callbacks & Call::flag) != 0;
    }

    void log_error(const std::string& text);

    // Has libxl ask the guest to suspend; false if it could not.
    bool suspend();
    // The guest has been asked and libxl has not said that it has suspended.
    [[nodiscard]] bool may_yet_suspend() const { return may_yet_suspend_; }

    // Libxl is silent meanwhile: if it ends, so do we (take_signals).
    void hold(const HeldSave& gate) const { gate.hold(unblocked_); }

  private:
    void send(const save_helper::Message& message);
    int reply();

    std::string program_;
    sigset_t unblocked_{};
    bool may_yet_suspend_ = false;
};

struct SaveRequest {
    int fd = -1;       // the stream goes there
    int back_fd = -1;  // what the other side says; -1: a plain save has none
    DomId domain;
    bool live = false;
    unsigned callbacks = 0;
    StreamKind stream{};
};

// The rings of a new domain that libxl has made event channels for.
struct RestoreChannels {
    Port store_port;
    DomId store_domid;
    Port console_port;
    DomId console_domid;
};

struct RestoreRequest {
    int fd = -1;
    int back_fd = -1;
    DomId domain;
    RestoreChannels channels;
    unsigned callbacks = 0;
    StreamKind stream{};
};

class SaveHelper {
  public:
    virtual ~SaveHelper() = default;
    // Whatever they throw is told to libxl, which then puts the domain back or destroys it.
    virtual void save(const SaveRequest& request, HelperConversation& libxl,
                      const HeldSave& gate) = 0;
    virtual void restore(const RestoreRequest& request, HelperConversation& libxl) = 0;
};

// argv is libxl's, or --help or --version. Returns the exit status: 0 if libxl has been told how it
// went, 2 if it could not be, or if it is not libxl that calls so.
int run_save_helper(const std::string& program, int argc, char** argv, SaveHelper& helper);

}  // namespace warmvm
