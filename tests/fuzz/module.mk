# Every decoder under libFuzzer with ASan and UBSan; needs clang. `make fuzz-short` is what CI runs.
fuzz_targets := chunk stream trace
fuzz_seconds ?= 600
fuzz_sources := $(wildcard replication/codec/src/*.cpp replication/stream/src/*.cpp) \
  replication/trace/src/trace_file.cpp replication/trace/src/xbzrle.cpp
fuzz_flags := $(STD) -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined \
  -Ireplication/codec/include -Ireplication/codec/src -Ireplication/stream/include -Ireplication/stream/src \
  -Ireplication/trace/src
fuzz_objects := $(patsubst %.cpp,build/fuzz/obj/%.o,$(fuzz_sources))

build/fuzz/obj/%.o: %.cpp
	@mkdir -p $(@D); echo "  FUZZ  $<"
	@clang++ $(fuzz_flags) -MMD -MP -c -o $@ $<
build/fuzz/fuzz-%: build/fuzz/obj/tests/fuzz/%.o $(fuzz_objects)
	@clang++ -fsanitize=fuzzer,address,undefined -o $@ $^ -lzstd -llz4 -pthread
-include $(patsubst %.o,%.d,$(fuzz_objects))

.PHONY: fuzz fuzz-short
fuzz: $(patsubst %,build/fuzz/fuzz-%,$(fuzz_targets)) ## fuzz every decoder, fuzz_seconds (600) each
	@for t in $(fuzz_targets); do mkdir -p build/fuzz/corpus/$$t; \
	  ./build/fuzz/fuzz-$$t -max_total_time=$(fuzz_seconds) -max_len=65536 -print_final_stats=0 -verbosity=0 \
	  build/fuzz/corpus/$$t tests/fuzz/seeds/$$t || exit 1; echo "fuzz-$$t: $(fuzz_seconds) s, nothing found"; done
fuzz-short: ## the fuzzers for 20 seconds each
	@$(MAKE) --no-print-directory fuzz fuzz_seconds=20
