# SPDX-License-Identifier: GPL-2.0-only
# Every parser of libwarmvm and roothammer: files, preserved blobs, hypervisors, guests' page tables.
# The fakes write the seeds.
tests/fuzz/records_USES  := roothammer tests/fake
tests/fuzz/records_LIBS  := -lz
parser_fuzzers := guest_image guest_record save_file plan timeline boot_image frame_map page_tables \
  p2m restore
tests/fuzz/records_LINT  := tests/fuzz/records/make_seeds.cpp \
  $(parser_fuzzers:%=tests/fuzz/records/%_fuzz.cpp)
ifeq ($(CONFIG),fuzz)
tests/fuzz/records_PROGS := fuzz-seeds=tests/fuzz/records/make_seeds.cpp \
  $(foreach f,$(parser_fuzzers),fuzz-$(f)=tests/fuzz/records/$(f)_fuzz.cpp)
endif
$(eval $(call module,tests/fuzz/records))
$(foreach f,$(parser_fuzzers),$(eval $(B)/bin/fuzz-$(f): private OPT += -fsanitize=fuzzer))
$(foreach f,$(parser_fuzzers),$(eval fuzz_$(f) := $(B)/seeds/$(f) 0))
$(foreach f,$(parser_fuzzers),$(eval fuzz_needs_$(f) := $(B)/seeds/.made))
fuzzers += $(parser_fuzzers)

$(B)/seeds/.made: $(B)/bin/fuzz-seeds
	@rm -rf $(@D); $< $(@D) && touch $@
