// SPDX-License-Identifier: GPL-2.0-only
// What kexec-tools do to find Xen, done here.
#include <cpuid.h>
#include <gtest/gtest.h>
#include <setjmp.h>
#include <signal.h>

#include <array>

namespace {

using Registers = std::array<unsigned, 4>;

Registers prefixed_cpuid(unsigned leaf) {
    Registers out{};
    asm volatile("ud2a ; .ascii \"xen\" ; cpuid"
                 : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
                 : "0"(leaf), "2"(0)
                 : "memory");
    return out;
}

sigjmp_buf out_of_the_handler;
volatile sig_atomic_t handled;

void on_signal(int number) {
    handled = number;
    siglongjmp(out_of_the_handler, 1);
}

void on_signal_with_info(int number, siginfo_t* info, void* context) {
    handled = info && context ? number : -1;
    siglongjmp(out_of_the_handler, 1);
}

class KexecOnPvh : public ::testing::Test {
  protected:
    KexecOnPvh() {
        handled = 0;
        ::sigaction(SIGILL, nullptr, &before_);
    }
    ~KexecOnPvh() override { ::sigaction(SIGILL, &before_, nullptr); }

    struct sigaction before_ {};
};

TEST_F(KexecOnPvh, ThePrefixedInstructionIsCpuid) {
    struct sigaction action {};
    action.sa_handler = on_signal;
    ASSERT_EQ(::sigaction(SIGILL, &action, nullptr), 0);
    Registers plain{};
    __cpuid_count(0, 0, plain[0], plain[1], plain[2], plain[3]);
    if (sigsetjmp(out_of_the_handler, 1) == 0) {
        EXPECT_EQ(prefixed_cpuid(0), plain);
    }
    EXPECT_EQ(handled, 0);
}

TEST_F(KexecOnPvh, EveryOtherIllegalInstructionIsTheHandlers) {
    struct sigaction action {};
    action.sa_handler = on_signal;
    ASSERT_EQ(::sigaction(SIGILL, &action, nullptr), 0);
    if (sigsetjmp(out_of_the_handler, 1) == 0) asm volatile("ud2a ; .ascii \"xem\"");
    EXPECT_EQ(handled, SIGILL);
}

TEST_F(KexecOnPvh, AHandlerThatWantsToKnowMoreIsTold) {
    struct sigaction action {};
    action.sa_sigaction = on_signal_with_info;
    action.sa_flags = SA_SIGINFO;
    ASSERT_EQ(::sigaction(SIGILL, &action, nullptr), 0);
    if (sigsetjmp(out_of_the_handler, 1) == 0) asm volatile("ud2a ; .ascii \"xem\"");
    EXPECT_EQ(handled, SIGILL);
}

TEST_F(KexecOnPvh, OtherSignalsAndNoHandlerAreLeftAlone) {
    struct sigaction action {};
    action.sa_handler = on_signal;
    struct sigaction is {};
    ASSERT_EQ(::sigaction(SIGUSR1, &action, nullptr), 0);
    ASSERT_EQ(::sigaction(SIGUSR1, nullptr, &is), 0);
    EXPECT_EQ(is.sa_handler, on_signal);
    action.sa_handler = SIG_DFL;
    ASSERT_EQ(::sigaction(SIGUSR1, &action, nullptr), 0);
    ASSERT_EQ(::sigaction(SIGILL, &action, nullptr), 0);
    ASSERT_EQ(::sigaction(SIGILL, nullptr, &is), 0);
    EXPECT_EQ(is.sa_handler, SIG_DFL);
}

}  // namespace
