# SPDX-License-Identifier: GPL-2.0-only
# The shell scripts that run the tests and add up what came of them.
.PHONY: check-runners
check-runners:
	@tests/unit/runners/test
ifeq ($(TESTS),%)
check: check-runners
endif
