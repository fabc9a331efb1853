# SPDX-License-Identifier: GPL-2.0-only
# Linked with what is preloaded elsewhere: its sigaction() is this program's.
tests/unit/kexec_on_pvh_TESTS := tests/unit/kexec_on_pvh/kexec_on_pvh_test.cpp roothammer/kexec_on_pvh.cpp
$(eval $(call module,tests/unit/kexec_on_pvh))
