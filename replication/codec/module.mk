# SPDX-License-Identifier: GPL-2.0-only
M := replication/codec
$(M)_SRCS := $(sort $(wildcard $(M)/src/*.cpp))
$(M)_USES := libwarmvm/base
$(M)_PKGS := libzstd liblz4 libxxhash
$(M)_LIBS := -pthread
$(eval $(call module,$(M)))
