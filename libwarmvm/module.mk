# libwarmvm: domains, preserved memory, guest images, libxl's save-helper protocol.

# Xen's source tree of BASE, for the save-helper protocol, and the hypervisor's ABI header.
XEN_SRC ?= build/xen/tree
XEN_ABI ?= $(XEN_SRC)/xen/include/public/preserved.h

libwarmvm_SRCS  := $(wildcard libwarmvm/src/*.cpp)
libwarmvm_PKGS  := xencontrol xenguest xencall xenforeignmemory xenstore xentoollog
libwarmvm_INCS  := build/gen
libwarmvm_FLAGS := -idirafter /usr/include/xen
libwarmvm_DEPS  := build/gen/save_helper_protocol.hpp build/gen/preserved.h
$(eval $(call module,libwarmvm))

# The generated files are replaced only if they changed, so that a new patch does not
# recompile everything.
xen-tree-ready := $(if $(filter build/xen/tree,$(XEN_SRC)),build/xen/tree/.applied)
build/gen/save_helper_protocol.hpp: libwarmvm/gen/save_helper_protocol.pl $(xen-tree-ready)
	@mkdir -p $(@D); echo "  GEN   $@"
	@perl $< $(XEN_SRC) > $@.new && { cmp -s $@.new $@ || cp $@.new $@; }; rm $@.new
build/gen/preserved.h: $(xen-tree-ready)
	@mkdir -p $(@D); cmp -s $(XEN_ABI) $@ || cp $(XEN_ABI) $@
