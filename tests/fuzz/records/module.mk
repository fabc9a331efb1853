# libFuzzer harnesses for every parser of bytes from outside: files, preserved blobs, hypervisors,
# guests' page tables. `make fuzz-parsers` runs each for FUZZ_SECONDS over seeds that the fakes write.
FUZZ_SECONDS ?= 5
tests/fuzz/records_USES  := roothammer libwarmvm tests/fake
tests/fuzz/records_INCS  := libwarmvm/src build/gen
tests/fuzz/records_LIBS  := -lz
tests/fuzz/records_PROGS := fuzz-seeds=tests/fuzz/records/make_seeds.cpp
parser_targets := guest_image guest_record save_file plan timeline boot_image frame_map page_tables \
  p2m restore
ifeq ($(CONFIG),fuzz)
tests/fuzz/records_PROGS += $(foreach t,$(parser_targets),fuzz-$(t)=tests/fuzz/records/$(t)_fuzz.cpp)
endif
$(eval $(call module,tests/fuzz/records))
$(foreach t,$(parser_targets),$(eval $(B)/bin/fuzz-$(t): private OPT += -fsanitize=fuzzer))

.PHONY: fuzz-parsers fuzz-run
fuzz-parsers: ## fuzz every parser for FUZZ_SECONDS each (clang)
	@$(MAKE) --no-print-directory CONFIG=fuzz CXX=clang++ fuzz-run
fuzz-run: $(addprefix $(B)/bin/,fuzz-seeds $(addprefix fuzz-,$(parser_targets)))
	@rm -rf $(B)/seeds; $(B)/bin/fuzz-seeds $(B)/seeds
	@for t in $(parser_targets); do echo "  FUZZ  $$t"; mkdir -p $(B)/corpus/$$t; \
	  $(B)/bin/fuzz-$$t -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 \
	    -artifact_prefix=$(B)/crash-$$t- -print_final_stats=1 $(B)/corpus/$$t $(B)/seeds/$$t \
	    > $(B)/fuzz-$$t.log 2>&1 || { tail -n 40 $(B)/fuzz-$$t.log; exit 1; }; done
