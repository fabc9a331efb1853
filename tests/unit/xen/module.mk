# SPDX-License-Identifier: GPL-2.0-only
M := tests/unit/xen
$(M)_USES  := libwarmvm/xen tests/support
$(M)_INCS  := libwarmvm/xen/src
$(M)_TESTS := $(wildcard $(M)/*_test.cpp)
$(eval $(call module,$(M)))
