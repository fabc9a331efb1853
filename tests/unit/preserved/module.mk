# SPDX-License-Identifier: GPL-2.0-only
M := tests/unit/preserved
$(M)_USES  := roothammer/preserved
$(M)_TESTS := $(wildcard $(M)/*_test.cpp)
$(eval $(call module,$(M)))
