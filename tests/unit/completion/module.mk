# SPDX-License-Identifier: GPL-2.0-only
# What bash offers after a tab, against what the programs say they take.
.PHONY: check-completion
ifeq ($(TESTS),%)
check: check-completion
endif
check-completion: $(addprefix $(B)/bin/,roothammer xl-warm-reboot replication-trace)
	@bash tests/unit/completion/check.bash $(B)/bin roothammer/completion/roothammer.bash \
	  replication/trace/completion/replication-trace.bash
