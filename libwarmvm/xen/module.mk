# SPDX-License-Identifier: GPL-2.0-only
# libwarmvm/xen: the ports to Xen, libxc and xenstore, and what stands behind them; the only code
# that includes Xen's headers.

# Xen's source tree of BASE, for the save-helper protocol, and the hypervisor's ABI header.
XEN_SRC ?= build/xen/tree
XEN_ABI ?= $(XEN_SRC)/xen/include/public/preserved.h

M := libwarmvm/xen
$(M)_SRCS    := $(wildcard $(M)/src/*.cpp)
$(M)_USES    := libwarmvm/base
$(M)_PKGS    := xencontrol xenguest xencall xenforeignmemory xenstore xentoollog
# What a statically linked libxenguest unpacks kernels with.
$(M)_LIBS    := -lz -llzma -lzstd
$(M)_EXPORTS := build/gen
$(M)_FLAGS   := -idirafter /usr/include/xen
$(M)_DEPS    := build/gen/xen/save_helper_protocol.hpp build/gen/xen/preserved.h
$(eval $(call module,$(M)))

# A generated file is replaced only if it changed, so that a new patch does not recompile
# everything; the stamp beside it is the latest, and says that it was looked at.
xen-tree-ready := $(if $(filter build/xen/tree,$(XEN_SRC)),build/xen/tree/.applied)
generated := $($(M)_DEPS)
$(generated): %: %.stamp
	@test -e $@ || cp $< $@
build/gen/xen/save_helper_protocol.hpp.stamp: libwarmvm/xen/gen/save_helper_protocol.pl $(xen-tree-ready)
	@mkdir -p $(@D); echo "  GEN   $(@:.stamp=)"
	@perl $< $(XEN_SRC) > $@ && { cmp -s $@ $(@:.stamp=) || cp $@ $(@:.stamp=); }
build/gen/xen/preserved.h.stamp: $(xen-tree-ready)
	@mkdir -p $(@D); cp $(XEN_ABI) $@; cmp -s $@ $(@:.stamp=) || cp $@ $(@:.stamp=)
