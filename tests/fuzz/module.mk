# SPDX-License-Identifier: GPL-2.0-only
# The decoders of replication.
codec_fuzzers := chunk stream trace
tests/fuzz_USES := replication/trace tests/bench/codec
tests/fuzz_INCS := replication/codec/src replication/stream/src
tests/fuzz_LINT := $(codec_fuzzers:%=tests/fuzz/%.cpp)
ifeq ($(CONFIG),fuzz)
tests/fuzz_PROGS := $(foreach f,$(codec_fuzzers),fuzz-$(f)=tests/fuzz/$(f).cpp)
endif
$(eval $(call module,tests/fuzz))
$(foreach f,$(codec_fuzzers),$(eval $(B)/bin/fuzz-$(f): private OPT += -fsanitize=fuzzer))
$(foreach f,$(codec_fuzzers),$(eval fuzz_$(f) := tests/fuzz/seeds/$(f) 65536))
fuzzers += $(codec_fuzzers)
