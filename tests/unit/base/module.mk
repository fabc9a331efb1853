# SPDX-License-Identifier: GPL-2.0-only
M := tests/unit/base
$(M)_USES  := libwarmvm/base tests/support
$(M)_TESTS := $(wildcard $(M)/*_test.cpp)
$(eval $(call module,$(M)))
