# libFuzzer over the hypervisor's reading of a record; part of `make fuzz`.
record_fuzz := preserved_record preserved_record_sealed
tests/fuzz/preserved_record_SRCS  := tests/fuzz/preserved_record/harness.cpp
tests/fuzz/preserved_record_USES  := tests/unit/record
# Whatever makes this has unpacked Xen's tree.
tests/fuzz/preserved_record_DEPS  := build/gen/preserved.h
tests/fuzz/preserved_record_FLAGS := -isystem $(XEN_SRC)/xen/include
ifeq ($(CONFIG),fuzz)
tests/fuzz/preserved_record_PROGS := \
  fuzz-seeds-preserved_record=tests/fuzz/preserved_record/make_seeds.cpp \
  $(foreach t,$(record_fuzz),fuzz-$(t)=tests/fuzz/preserved_record/$(t)_fuzz.cpp)
endif
$(eval $(call module,tests/fuzz/preserved_record))
$(foreach t,$(record_fuzz),$(eval $(B)/bin/fuzz-$(t): private OPT += -fsanitize=fuzzer))

.PHONY: fuzz-record fuzz-run-record
fuzz-record: ## fuzz the hypervisor's record parser alone for FUZZ_SECONDS
	@$(MAKE) --no-print-directory CONFIG=fuzz CXX=clang++ fuzz-run-record
fuzz-run: fuzz-run-record
fuzz-run-record: $(addprefix $(B)/bin/fuzz-,$(record_fuzz))
	@for t in $(record_fuzz); do echo "  FUZZ  $$t"; mkdir -p $(B)/corpus/$$t; \
	  $(B)/bin/fuzz-$$t -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 \
	    -artifact_prefix=$(B)/crash-$$t- -print_final_stats=1 -max_len=16384 $(B)/corpus/$$t \
	    tests/fuzz/preserved_record/seeds > $(B)/fuzz-$$t.log 2>&1 || \
	    { tail -n 40 $(B)/fuzz-$$t.log; exit 1; }; done
