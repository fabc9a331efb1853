# The page codec against its peers: `make bench-codec`. Traces of three servers are recorded here first (root); more of
# them, plain or as .zst, can be named: make bench-codec BENCH_TRACES="a.trace b.trace.zst".
BENCH := build/bench
BENCH_TRACES ?=
bench_epochs ?= 16
bench_rounds ?= 3
bench_recorded := $(patsubst %,$(BENCH)/traces/%.trace,nginx redis mariadb)
bench_given = $(patsubst %,$(BENCH)/traces/%,$(patsubst %.zst,%,$(notdir $(BENCH_TRACES))))
bench_tool := build/release/bin/replication-trace

.PHONY: bench-codec bench-traces bench-deps
bench-deps: ## install the servers that the benchmarks load (root; Debian starts them)
	@tests/lab/deps.sh tests/bench/loads.packages
bench-traces: $(bench_tool) bench-deps ## record dirty-page traces of nginx, redis and MariaDB under load (root)
	@tests/bench/record-traces $(bench_tool) $(BENCH)/traces
bench-codec: bench-traces ## page codec and peers on all traces: table, JSON, plot, targets
	@tests/bench/unpack-traces $(BENCH)/traces $(BENCH_TRACES)
	@$(bench_tool) replay --epochs $(bench_epochs) --rounds $(bench_rounds) --json $(BENCH)/codec.json \
	  $(bench_given) $(bench_recorded) | tee $(BENCH)/codec.txt
	@tests/bench/plot-codec $(BENCH)/codec.json $(BENCH)/codec.svg
bench-similarity: bench-traces ## share of similar bytes by block size, on all traces
	@tests/bench/unpack-traces $(BENCH)/traces $(BENCH_TRACES)
	@$(bench_tool) similarity --epochs 20 --json $(BENCH)/similarity.json $(bench_given) $(bench_recorded) | \
	  tee $(BENCH)/similarity.txt
.PHONY: bench-similarity
