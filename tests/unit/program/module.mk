# SPDX-License-Identifier: GPL-2.0-only
M := tests/unit/program
$(M)_USES  := libwarmvm/program tests/support
$(M)_TESTS := $(wildcard $(M)/*_test.cpp)
$(eval $(call module,$(M)))
