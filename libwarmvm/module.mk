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

# Order-only: the tree's files are older than its stamp, and must not look out of date for that.
xen_needed := $(addprefix $(XEN_SRC)/,tools/libs/light/libxl_save_msgs_gen.pl xen/Makefile \
  xen/include/public/domctl.h) $(XEN_ABI)
ifeq ($(XEN_SRC),build/xen/tree)
$(xen_needed): | $(XEN_SRC)/.applied ;
endif

build/gen/save_helper_protocol.hpp: libwarmvm/gen/save_helper_protocol.pl \
  $(XEN_SRC)/tools/libs/light/libxl_save_msgs_gen.pl $(XEN_SRC)/xen/Makefile \
  $(XEN_SRC)/xen/include/public/domctl.h
	@mkdir -p $(@D); echo "  GEN   $@"
	@perl $< $(XEN_SRC) > $@
build/gen/preserved.h: $(XEN_ABI)
	@mkdir -p $(@D); cp $< $@
