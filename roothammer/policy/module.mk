# SPDX-License-Identifier: GPL-2.0-only
# roothammer policy: when a host is to be rebooted warmly, by itself. The program `roothammer` is
# linked here, since it is what knows both the commands and the policy.
roothammer/policy_SRCS  := $(wildcard roothammer/policy/src/*.cpp)
roothammer/policy_USES  := roothammer
roothammer/policy_PROGS := roothammer=roothammer/roothammer_main.cpp
$(eval $(call module,roothammer/policy))

# --- installation ------------------------------------------------------------
COMPLETIONDIR ?= $(PREFIX)/share/bash-completion/completions
EXAMPLEDIR    ?= $(PREFIX)/share/doc/roothammer/examples
policy_UNITS  := $(wildcard roothammer/policy/systemd/*)

.PHONY: install-policy uninstall-policy
install: install-policy
install-policy:
	install -d $(DESTDIR)$(UNITDIR) $(DESTDIR)$(SYSCONFDIR)/xen $(DESTDIR)$(MANDIR)/man5 \
	  $(DESTDIR)$(COMPLETIONDIR) $(DESTDIR)$(EXAMPLEDIR)
	for u in $(policy_UNITS); do \
	  sed 's|@sbin@|$(PREFIX)/sbin|' $$u > $(DESTDIR)$(UNITDIR)/$$(basename $$u) || exit 1; done
	sed 's|@sbin@|$(PREFIX)/sbin|' roothammer/policy/cron/roothammer-policy.cron \
	  > $(DESTDIR)$(EXAMPLEDIR)/roothammer-policy.cron
	test -e $(DESTDIR)$(SYSCONFDIR)/xen/roothammer-policy.conf || install -m 644 \
	  roothammer/policy/roothammer-policy.conf $(DESTDIR)$(SYSCONFDIR)/xen/roothammer-policy.conf
	install -m 644 docs/man/roothammer-policy.conf.5 $(DESTDIR)$(MANDIR)/man5/
	for n in roothammer xl-warm-reboot; do \
	  install -m 644 roothammer/completion/roothammer.bash $(DESTDIR)$(COMPLETIONDIR)/$$n || exit 1; done
uninstall: uninstall-policy
uninstall-policy:
	rm -f $(addprefix $(DESTDIR)$(UNITDIR)/,$(notdir $(policy_UNITS))) \
	  $(addprefix $(DESTDIR)$(COMPLETIONDIR)/,roothammer xl-warm-reboot) \
	  $(DESTDIR)$(EXAMPLEDIR)/roothammer-policy.cron $(DESTDIR)$(MANDIR)/man5/roothammer-policy.conf.5
