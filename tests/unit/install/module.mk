# SPDX-License-Identifier: GPL-2.0-only
# What `make install` needs and copies, and what `make uninstall` leaves. It is the same in every
# CONFIG, so one is enough.
.PHONY: check-install
ifeq ($(TESTS)-$(CONFIG),%-release)
check: check-install
endif
# Modules that install something come before this one in the alphabet. What they copy is built here,
# since the test runs a make of its own, which must find nothing left to build.
check-install: $(foreach m,$(modules),$(foreach e,$($(m)_INSTALLS),$(call entry_file,$(e))))
	@MAKE=$(MAKE) tests/unit/install/test $(B)
