# SPDX-License-Identifier: GPL-2.0-only
tests/unit/policy_USES  := tests/fake/policy tests/support
tests/unit/policy_TESTS := $(wildcard tests/unit/policy/*_test.cpp)
$(eval $(call module,tests/unit/policy))
