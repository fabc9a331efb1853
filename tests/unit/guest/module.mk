# SPDX-License-Identifier: GPL-2.0-only
M := tests/unit/guest
$(M)_USES  := tests/fake tests/support
$(M)_TESTS := $(wildcard $(M)/*_test.cpp)
$(eval $(call module,$(M)))
