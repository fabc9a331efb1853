# The policy's parsers: its files, its configuration, what the kernel says, what xl-warm-reboot says.
# Part of `make fuzz-parsers`.
tests/fuzz/policy_USES  := roothammer/policy roothammer libwarmvm
tests/fuzz/policy_INCS  := tests/fuzz/records
policy_targets := policy_history policy_config policy_output
ifeq ($(CONFIG),fuzz)
tests/fuzz/policy_PROGS := $(foreach t,$(policy_targets),fuzz-$(t)=tests/fuzz/policy/$(t)_fuzz.cpp)
endif
$(eval $(call module,tests/fuzz/policy))
$(foreach t,$(policy_targets),$(eval $(B)/bin/fuzz-$(t): private OPT += -fsanitize=fuzzer))

.PHONY: fuzz-policy-run
fuzz-run: fuzz-policy-run
fuzz-policy-run: $(addprefix $(B)/bin/fuzz-,$(policy_targets))
	@for t in $(policy_targets); do echo "  FUZZ  $$t"; mkdir -p $(B)/corpus/$$t; \
	  $(B)/bin/fuzz-$$t -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 \
	    -artifact_prefix=$(B)/crash-$$t- -print_final_stats=1 $(B)/corpus/$$t \
	    tests/fuzz/policy/seeds/$$t > $(B)/fuzz-$$t.log 2>&1 || \
	    { tail -n 40 $(B)/fuzz-$$t.log; exit 1; }; done
