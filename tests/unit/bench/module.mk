# SPDX-License-Identifier: GPL-2.0-only
M := tests/unit/bench
$(M)_USES := tests/bench/codec tests/support
$(M)_INCS := tests/unit/codec
$(M)_PKGS := gtest
$(M)_TESTS := $(sort $(wildcard $(M)/*_test.cpp))
$(eval $(call module,$(M)))
