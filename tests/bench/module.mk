# SPDX-License-Identifier: GPL-2.0-only
# The page codec against its peers: `make bench-codec`. Traces of three servers are recorded here first (root); more of
# them, plain or as .zst, can be named: make bench-codec BENCH_TRACES="a.trace b.trace.zst".
BENCH := build/bench
BENCH_TRACES ?=
bench_epochs ?= 16
bench_rounds ?= 3
bench_recorded := $(patsubst %,$(BENCH)/traces/%.trace,nginx redis mariadb)
bench_given = $(patsubst %,$(BENCH)/traces/%,$(patsubst %.zst,%,$(notdir $(BENCH_TRACES))))
bench_tool := build/release/bin/bench-codec
bench_recorder := build/release/bin/replication-trace

.PHONY: bench-codec bench-traces bench-deps
# What fails before a pipe must fail the recipe, which would go on with an earlier run's figures.
bench-codec bench-similarity: private SHELL := /bin/bash
bench-codec bench-similarity: private .SHELLFLAGS := -o pipefail -c
bench-deps: ## install the servers that the benchmarks load (root; Debian starts them)
	@tests/lab/deps.sh tests/bench/loads.packages
bench-traces: $(bench_recorder) bench-deps ## record dirty-page traces of nginx, redis and MariaDB under load (root)
	@tests/bench/record-traces $(bench_recorder) $(BENCH)/traces
bench-codec: $(bench_tool) bench-traces ## page codec and peers on all traces: table, JSON, plot, targets
	@tests/bench/unpack-traces $(BENCH)/traces $(BENCH_TRACES)
	@$(bench_tool) replay --epochs $(bench_epochs) --rounds $(bench_rounds) --json $(BENCH)/codec.json \
	  $(bench_given) $(bench_recorded) | tee $(BENCH)/codec.txt
	@tests/bench/plot-codec $(BENCH)/codec.json $(BENCH)/codec.svg
bench-similarity: $(bench_tool) bench-traces ## share of similar bytes by block size, on all traces
	@tests/bench/unpack-traces $(BENCH)/traces $(BENCH_TRACES)
	@$(bench_tool) similarity --epochs 20 --json $(BENCH)/similarity.json $(bench_given) $(bench_recorded) | \
	  tee $(BENCH)/similarity.txt
.PHONY: bench-similarity

# The paper's experiments on one lab host: `make bench-warm`; GUESTS=3 BENCH_SIZES=256 cuts it to a size, and
# BENCH_ARGS=--reuse goes on where a run was cut. What each figure is: docs/design/bench-warm.md.
GUESTS ?= 11
BENCH_SIZES ?= 256 1024 4096 8192
BENCH_EARLY ?=
BENCH_DOM0 ?= pv
BENCH_ARGS ?=
.PHONY: bench-warm check-bench
bench-warm: lab-images lab-tools xen ## warm, saved and cold reboots side by side (GUESTS, BENCH_SIZES, BENCH_EARLY=1, BENCH_DOM0=pvh)
	@PYTHONPATH=tests/lab:tests/bench $(LABPY) -m warm --out $(BENCH)/warm --guests $(GUESTS) \
	  --sizes $(BENCH_SIZES) $(if $(BENCH_EARLY),--early) --dom0 $(BENCH_DOM0) $(BENCH_ARGS)
check-bench: ## unit tests of bench-warm (no root, no QEMU)
	@tests/bench/check-warm
