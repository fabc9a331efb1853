# SPDX-License-Identifier: GPL-2.0-only
# Guests come back before dom0's init starts. A part of its own: it takes effect with
# `make install-early` and `update-initramfs -u`, where the initramfs is initramfs-tools'.
.PHONY: install-early uninstall-early
early_script := $(SYSCONFDIR)/initramfs-tools/scripts/init-bottom/roothammer
install: install-resume-early
install-resume-early:
	install -d $(DESTDIR)$(PREFIX)/libexec/roothammer
	sed 's|@sbin@|$(PREFIX)/sbin|' roothammer/early/resume-early \
	  > $(DESTDIR)$(PREFIX)/libexec/roothammer/resume-early
	chmod 755 $(DESTDIR)$(PREFIX)/libexec/roothammer/resume-early
install-early: ## have the initramfs bring guests back before init (then: update-initramfs -u)
	install -d $(DESTDIR)$(dir $(early_script))
	sed 's|@libexec@|$(PREFIX)/libexec/roothammer|g' roothammer/early/initramfs > $(DESTDIR)$(early_script)
	chmod 755 $(DESTDIR)$(early_script)
uninstall: uninstall-early
uninstall-early:
	rm -f $(DESTDIR)$(early_script)
