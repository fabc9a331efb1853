# SPDX-License-Identifier: GPL-2.0-only
# The lab: hosts that run real Xen under QEMU, made of Debian packages.
# Images are built once under build/lab and reused; each depends on exactly what goes into it.
LAB    := build/lab
LABSRC := tests/lab/images
# Debian's own: python3-pytest belongs to it, not to whatever python3 comes first in PATH.
LABPY  := /usr/bin/python3
lab-files = $(shell find $(addprefix $(LABSRC)/,$(1)) -type f)

# Every list of Debian packages in the tree: one a module that needs any.
PACKAGE_LISTS := $(wildcard packages */packages */*/packages */*/*/packages)

.PHONY: deps lab-images lab-tools lab e2e
deps: ## install the Debian packages this tree needs (root)
	@tests/lab/deps.sh $(PACKAGE_LISTS)

lab-images: $(LAB)/dom0.ext4 $(LAB)/guest.ext4 $(LAB)/qemu/qemu-system-x86_64 ## build the lab's machines: QEMU, disk images (root)

# Debian's, with what it gets wrong about guests mended (docs/design/lab.md).
$(LAB)/qemu/qemu-system-x86_64: $(wildcard tests/lab/qemu/*) xen-patches/fetch-source
	@mkdir -p $(@D); echo "  QEMU  $@ (some minutes; log: $(@D)/build.log)"
	@tests/lab/qemu/build.sh $(@D) > $(@D)/build.log 2>&1 || { tail -n 30 $(@D)/build.log; exit 1; }

# What dom0 gets laid over its root at the next start, without a new image.
lab-tools: all
	@echo "  STAGE $(LAB)/tools"
	@rm -rf $(LAB)/tools
	@$(MAKE) -s install DESTDIR=$(abspath $(LAB)/tools) PREFIX=/usr/local > /dev/null
	@find $(LAB)/tools -type f -perm /111 -exec sh -c 'head -c 4 "$$1" | grep -q ELF' - {} \; \
	  -exec strip --strip-debug {} +

lab: lab-images lab-tools xen ## a host with guests in the foreground: console, ssh (LAB_ARGS=--help)
	@PYTHONPATH=tests/lab $(LABPY) -m lab $(LAB_ARGS)

# A machine takes one processor of ours, so as many run side by side as there are.
E2E_JOBS ?= $(shell nproc)
e2e: lab-images lab-tools xen xl ## the tests on real Xen (E2E_ARGS: pytest's; E2E_JOBS at a time)
	@LAB_BIN=$(B)/bin PYTHONPATH=tests/lab $(LABPY) -m pytest -n $(E2E_JOBS) $(E2E_ARGS) tests/e2e

$(LAB)/%.tar: $(LABSRC)/%.packages $(LABSRC)/rootfs.sh
	@mkdir -p $(@D); echo "  DEBIAN $@"
	@$(LABSRC)/rootfs.sh $@ $<

$(LAB)/kernel/vmlinuz: $(LABSRC)/kernel.sh
	@mkdir -p $(@D); echo "  DEBIAN $(@D)"
	@$(LABSRC)/kernel.sh $(@D)

$(LAB)/initrd: $(LAB)/kernel/vmlinuz $(LABSRC)/initrd.sh $(LABSRC)/modules.sh $(call lab-files,initrd) \
  roothammer/early/initramfs
	@echo "  IMAGE $@"
	@$(LABSRC)/initrd.sh $@ $(LAB)/kernel/tree

$(LAB)/id_ed25519.pub:
	@mkdir -p $(@D)
	@rm -f $(@:.pub=) && ssh-keygen -q -t ed25519 -N '' -C lab -f $(@:.pub=)

# Static: it runs in the guest, against whatever C library is there.
$(LAB)/witness: tests/lab/witness/witness.cpp
	@mkdir -p $(@D); echo "  CXX   $@"
	@$(CXX) $(STD) -O2 $(WARN) $(CXXFLAGS) -static -pthread -o $@ $<

lab-common := $(LAB)/kernel/vmlinuz $(LAB)/id_ed25519.pub $(LABSRC)/image.sh $(LABSRC)/modules.sh \
  $(LABSRC)/modules $(LABSRC)/masked.units $(call lab-files,common)
$(LAB)/dom0.ext4: $(LAB)/dom0.tar $(LAB)/initrd $(lab-common) $(call lab-files,dom0)
	@echo "  IMAGE $@"
	@$(LABSRC)/image.sh dom0 $@
$(LAB)/guest.ext4: $(LAB)/guest.tar $(LAB)/witness $(lab-common) $(call lab-files,guest)
	@echo "  IMAGE $@"
	@$(LABSRC)/image.sh guest $@
