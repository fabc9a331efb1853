# SPDX-License-Identifier: GPL-2.0-only
# The policy's parsers: its files, its configuration, what the kernel says, what xl-warm-reboot says.
tests/fuzz/policy_USES  := roothammer/policy
tests/fuzz/policy_INCS  := tests/fuzz/records
policy_fuzzers := policy_history policy_config policy_output
tests/fuzz/policy_LINT  := $(policy_fuzzers:%=tests/fuzz/policy/%_fuzz.cpp)
ifeq ($(CONFIG),fuzz)
tests/fuzz/policy_PROGS := $(foreach f,$(policy_fuzzers),fuzz-$(f)=tests/fuzz/policy/$(f)_fuzz.cpp)
endif
$(eval $(call module,tests/fuzz/policy))
$(foreach f,$(policy_fuzzers),$(eval $(B)/bin/fuzz-$(f): private OPT += -fsanitize=fuzzer))
$(foreach f,$(policy_fuzzers),$(eval fuzz_$(f) := tests/fuzz/policy/seeds/$(f) 0))
fuzzers += $(policy_fuzzers)
