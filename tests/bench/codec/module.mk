# SPDX-License-Identifier: GPL-2.0-only
# The page codec beside its peers: bench-codec replays traces through all of them.
M := tests/bench/codec
$(M)_SRCS := $(sort $(filter-out $(M)/main.cpp,$(wildcard $(M)/*.cpp)))
$(M)_USES := replication/stream replication/trace
$(M)_PKGS := libzstd liblz4
$(M)_PROGS := bench-codec=$(M)/main.cpp
$(eval $(call module,$(M)))
