# libwarmvm: domains, preserved memory, guest images, libxl's save-helper protocol.

# Xen's source tree of BASE, for the save-helper protocol, and the hypervisor's ABI header.
XEN_SRC ?= build/xen/tree
XEN_ABI ?= $(XEN_SRC)/xen/include/public/preserved.h

libwarmvm_SRCS  := $(wildcard libwarmvm/src/*.cpp)
libwarmvm_PKGS  := xencontrol xenguest xencall xenforeignmemory xenstore xentoollog
libwarmvm_LIBS  := -lxxhash
libwarmvm_INCS  := build/gen
libwarmvm_FLAGS := -idirafter /usr/include/xen
libwarmvm_DEPS  := build/gen/save_helper_protocol.hpp build/gen/preserved.h
$(eval $(call module,libwarmvm))

# A generated file is replaced only if it changed, so that a new patch does not recompile
# everything; the stamp beside it is the latest, and says that it was looked at.
xen-tree-ready := $(if $(filter build/xen/tree,$(XEN_SRC)),build/xen/tree/.applied)
generated := build/gen/save_helper_protocol.hpp build/gen/preserved.h
$(generated): %: %.stamp
	@test -e $@ || cp $< $@
build/gen/save_helper_protocol.hpp.stamp: libwarmvm/gen/save_helper_protocol.pl $(xen-tree-ready)
	@mkdir -p $(@D); echo "  GEN   $(@:.stamp=)"
	@perl $< $(XEN_SRC) > $@ && { cmp -s $@ $(@:.stamp=) || cp $@ $(@:.stamp=); }
build/gen/preserved.h.stamp: $(xen-tree-ready)
	@mkdir -p $(@D); cp $(XEN_ABI) $@; cmp -s $@ $(@:.stamp=) || cp $@ $(@:.stamp=)
