# SPDX-License-Identifier: GPL-2.0-only
M := tests/unit/codec
$(M)_USES := replication/codec
$(M)_INCS := replication/codec/src
$(M)_PKGS := gtest
$(M)_TESTS := $(sort $(wildcard $(M)/*_test.cpp))
$(eval $(call module,$(M)))
