# SPDX-License-Identifier: GPL-2.0-only
# roothammer: warm reboot. The operator's command, and what runs at boot.
roothammer_SRCS  := $(wildcard roothammer/src/*.cpp)
roothammer_USES  := roothammer/preflight
roothammer_LIBS  := -lboost_program_options
roothammer_PROGS := xl-warm-reboot=roothammer/xl_warm_reboot_main.cpp
roothammer_LINT   := roothammer/kexec_on_pvh.cpp
$(eval $(call module,roothammer))

# Loaded into another program, which knows no sanitizer.
programs += $(B)/bin/kexec-on-pvh.so
$(B)/bin/kexec-on-pvh.so: roothammer/kexec_on_pvh.cpp
	@mkdir -p $(@D); echo "  LD    $@"
	@$(CXX) $(STD) -O2 -g $(WARN) -fPIC -shared -o $@ $<

# --- installation ------------------------------------------------------------
SYSCONFDIR ?= /etc
UNITDIR    ?= $(PREFIX)/lib/systemd/system
MANDIR     ?= $(PREFIX)/share/man
# Where an xl of this tree (make xl) looks for subcommands that are programs of their own.
XEN_LIBEXEC ?= /usr/lib/xen-4.17
roothammer_BINS  := $(foreach p,$(roothammer_PROGS),$(B)/bin/$(firstword $(subst =, ,$(p))))
roothammer_UNITS := $(wildcard roothammer/systemd/*.service roothammer/systemd/*.target)

.PHONY: install uninstall
# Not $(programs): that list is complete only after every module.mk has been read.
install: $(roothammer_BINS) $(B)/bin/kexec-on-pvh.so $(B)/bin/replication-trace ## install programs, systemd units and man pages (PREFIX, DESTDIR)
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/libexec/roothammer \
	  $(DESTDIR)$(UNITDIR)/xendomains.service.d $(DESTDIR)$(SYSCONFDIR)/xen $(DESTDIR)$(MANDIR)/man8
	install -m 755 $(B)/bin/roothammer $(B)/bin/xl-warm-reboot $(B)/bin/replication-trace \
	  $(DESTDIR)$(PREFIX)/sbin/
	install -m 755 $(B)/bin/warmvm-save-helper $(DESTDIR)$(PREFIX)/libexec/roothammer/
	install -m 644 $(B)/bin/kexec-on-pvh.so $(DESTDIR)$(PREFIX)/libexec/roothammer/
	install -d $(DESTDIR)$(XEN_LIBEXEC)/bin
	ln -sf $(PREFIX)/sbin/xl-warm-reboot $(DESTDIR)$(XEN_LIBEXEC)/bin/xl-warm-reboot
	for u in $(roothammer_UNITS); do \
	  sed 's|@sbin@|$(PREFIX)/sbin|' $$u > $(DESTDIR)$(UNITDIR)/$$(basename $$u) || exit 1; done
	sed 's|@sbin@|$(PREFIX)/sbin|' roothammer/systemd/xendomains.conf \
	  > $(DESTDIR)$(UNITDIR)/xendomains.service.d/roothammer.conf
	test -e $(DESTDIR)$(SYSCONFDIR)/xen/roothammer.conf || \
	  install -m 644 roothammer/roothammer.conf $(DESTDIR)$(SYSCONFDIR)/xen/roothammer.conf
	for m in $(wildcard docs/man/*.8); do install -m 644 $$m $(DESTDIR)$(MANDIR)/man8/ || exit 1; done
uninstall: ## remove what install put there (the configuration file stays)
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/sbin/,roothammer xl-warm-reboot replication-trace)
	rm -rf $(DESTDIR)$(PREFIX)/libexec/roothammer
	rm -f $(DESTDIR)$(XEN_LIBEXEC)/bin/xl-warm-reboot
	rm -f $(addprefix $(DESTDIR)$(UNITDIR)/,$(notdir $(roothammer_UNITS)) xendomains.service.d/roothammer.conf)
	rm -f $(addprefix $(DESTDIR)$(MANDIR)/man8/,$(notdir $(wildcard docs/man/*.8)))
