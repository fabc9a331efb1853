# SPDX-License-Identifier: GPL-2.0-only
# roothammer: warm reboot. The operator's command, and what runs at boot.
roothammer_SRCS  := $(wildcard roothammer/src/*.cpp)
roothammer_USES  := roothammer/preflight libwarmvm/program
roothammer_PROGS := xl-warm-reboot=roothammer/xl_warm_reboot_main.cpp
roothammer_LINT   := roothammer/kexec_on_pvh.cpp
roothammer_INSTALLS := sbin=$(B)/bin/xl-warm-reboot data=$(B)/bin/kexec-on-pvh.so \
  subcommand=$(B)/bin/xl-warm-reboot \
  $(addprefix unit=,$(wildcard roothammer/systemd/*.service roothammer/systemd/*.target)) \
  xendomains=roothammer/systemd/xendomains.conf=roothammer.conf \
  conf=roothammer/roothammer.conf $(addprefix man8=docs/man/,roothammer.8 xl-warm-reboot.8) \
  $(addprefix completion=roothammer/completion/roothammer.bash=,roothammer xl-warm-reboot)
$(eval $(call module,roothammer))

# Loaded into another program, which knows no sanitizer.
programs += $(B)/bin/kexec-on-pvh.so
$(B)/bin/kexec-on-pvh.so: roothammer/kexec_on_pvh.cpp
	@mkdir -p $(@D); echo "  LD    $@"
	@$(CXX) $(STD) -O2 -g $(WARN) -fPIC -shared -o $@ $<
