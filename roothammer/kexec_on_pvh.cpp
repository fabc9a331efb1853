// SPDX-License-Identifier: GPL-2.0-only
// Preloaded into kexec-tools in a PVH dom0, where they do not see Xen: they look for a PV guest by
// the instruction that only Xen's PV emulation knows, ud2a "xen" cpuid (kexec/crashdump-xen.c:
// xen_detect_pv_guest), and take SIGILL for a no. A PVH dom0's CPUID says the same without the
// prefix, so the prefixed instruction does here what it does in a PV dom0.
#include <cpuid.h>
#include <dlfcn.h>
#include <signal.h>
#include <ucontext.h>

#include <array>
#include <cstring>

namespace {

constexpr std::array<unsigned char, 7> prefixed_cpuid{0x0f, 0x0b, 'x', 'e', 'n', 0x0f, 0xa2};

using Sigaction = int (*)(int, const struct sigaction*, struct sigaction*);

Sigaction real_sigaction() {
    return reinterpret_cast<Sigaction>(::dlsym(RTLD_NEXT, "sigaction"));
}

struct sigaction of_the_program {};

void on_illegal_instruction(int number, siginfo_t* info, void* context) {
    auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    const unsigned char* at = nullptr;
    std::memcpy(&at, &registers[REG_RIP], sizeof(at));
    if (std::memcmp(at, prefixed_cpuid.data(), prefixed_cpuid.size()) == 0) {
        unsigned eax = 0;
        unsigned ebx = 0;
        unsigned ecx = 0;
        unsigned edx = 0;
        __cpuid_count(static_cast<unsigned>(registers[REG_RAX]),
                      static_cast<unsigned>(registers[REG_RCX]), eax, ebx, ecx, edx);
        registers[REG_RAX] = eax;
        registers[REG_RBX] = ebx;
        registers[REG_RCX] = ecx;
        registers[REG_RDX] = edx;
        registers[REG_RIP] += prefixed_cpuid.size();
    } else if (of_the_program.sa_flags & SA_SIGINFO) {
        of_the_program.sa_sigaction(number, info, context);
    } else {
        of_the_program.sa_handler(number);
    }
}

}  // namespace

extern "C" int sigaction(int number, const struct sigaction* action, struct sigaction* before) {
    const bool caught = number == SIGILL && action && action->sa_handler != SIG_DFL &&
                        action->sa_handler != SIG_IGN;
    if (!caught) return real_sigaction()(number, action, before);
    of_the_program = *action;
    auto ours = *action;
    ours.sa_sigaction = on_illegal_instruction;
    ours.sa_flags |= SA_SIGINFO;
    return real_sigaction()(number, &ours, before);
}
