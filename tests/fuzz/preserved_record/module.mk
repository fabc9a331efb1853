# SPDX-License-Identifier: GPL-2.0-only
# The hypervisor's reading of a record.
record_fuzzers := preserved_record preserved_record_sealed
tests/fuzz/preserved_record_SRCS  := tests/fuzz/preserved_record/harness.cpp
tests/fuzz/preserved_record_USES  := tests/unit/record
tests/fuzz/preserved_record_FLAGS := -isystem $(XEN_SRC)/xen/include
tests/fuzz/preserved_record_LINT  := tests/fuzz/preserved_record/make_seeds.cpp \
  $(record_fuzzers:%=tests/fuzz/preserved_record/%_fuzz.cpp)
ifeq ($(CONFIG),fuzz)
tests/fuzz/preserved_record_PROGS := \
  fuzz-seeds-preserved_record=tests/fuzz/preserved_record/make_seeds.cpp \
  $(foreach f,$(record_fuzzers),fuzz-$(f)=tests/fuzz/preserved_record/$(f)_fuzz.cpp)
endif
$(eval $(call module,tests/fuzz/preserved_record))
$(foreach f,$(record_fuzzers),$(eval $(B)/bin/fuzz-$(f): private OPT += -fsanitize=fuzzer))
$(foreach f,$(record_fuzzers),$(eval fuzz_$(f) := tests/fuzz/preserved_record/seeds 16384))
fuzzers += $(record_fuzzers)
