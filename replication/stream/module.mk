# SPDX-License-Identifier: GPL-2.0-only
M := replication/stream
$(M)_SRCS := $(sort $(wildcard $(M)/src/*.cpp))
$(M)_USES := replication/codec
$(M)_PKGS := libxxhash
$(eval $(call module,$(M)))
