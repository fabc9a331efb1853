# SPDX-License-Identifier: GPL-2.0-only
# What bash offers after a tab, against what the programs say they take.
.PHONY: check-completion
ifeq ($(TESTS),%)
check: check-completion
endif
check-completion: $(B)/bin/roothammer $(B)/bin/xl-warm-reboot
	@bash tests/unit/completion/check.bash $(B)/bin roothammer/completion/roothammer.bash
