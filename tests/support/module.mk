# SPDX-License-Identifier: GPL-2.0-only
# tests/support: what tests of every module need and no module has.
$(eval $(call module,tests/support))
