# SPDX-License-Identifier: GPL-2.0-only
M := tests/unit/trace
$(M)_USES := replication/trace tests/fake tests/support
$(M)_INCS := replication/trace/src tests/unit/codec
$(M)_PKGS := gtest
$(M)_TESTS := $(sort $(wildcard $(M)/*_test.cpp))
$(eval $(call module,$(M)))
