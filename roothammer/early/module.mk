# SPDX-License-Identifier: GPL-2.0-only
# Guests come back before dom0's init starts. A part of its own: it takes effect with
# `make install-early` and `update-initramfs -u`, where the initramfs is initramfs-tools'.
.PHONY: install-early
install-early: ## have the initramfs bring guests back before init (then: update-initramfs -u)
$(eval $(call installs,install,roothammer/early,libexec=roothammer/early/resume-early))
$(eval $(call installs,install-early,roothammer/early,initramfs=roothammer/early/initramfs=roothammer))
