# SPDX-License-Identifier: GPL-2.0-only
# The hypervisor's record parser, compiled for user space on top of a fake physical memory.
record_tree := $(addprefix $(XEN_SRC)/xen/,arch/x86/preserved/record.c \
  include/xen/preserved-record.h include/public/preserved.h)

tests/unit/record_SRCS  := $(filter-out %_test.cpp,$(wildcard tests/unit/record/*.cpp))
tests/unit/record_TESTS := $(wildcard tests/unit/record/*_test.cpp)
# A system's folder, for Xen's headers are not pedantic.
tests/unit/record_FLAGS := -isystem $(XEN_SRC)/xen/include
tests/unit/record_PKGS  := libxxhash
# Whatever makes this has unpacked Xen's tree.
tests/unit/record_DEPS  := build/gen/xen/preserved.h
$(eval $(call module,tests/unit/record))

ifeq ($(XEN_SRC),build/xen/tree)
$(record_tree): | $(XEN_SRC)/.applied ;
# The tree is made anew as a whole: what was built of the old one is stale.
$(call obj,$(tests/unit/record_SRCS) $(tests/unit/record_TESTS)) $(B)/obj/tests/unit/record/record.o: $(XEN_SRC)/.applied
endif
$(call obj,$(tests/unit/record_SRCS) $(tests/unit/record_TESTS)): $(record_tree)

# The only C here, and Xen's: it has Xen's warnings, not this project's.
record_cc := $(subst g++,gcc,$(subst clang++,clang,$(CXX)))
record_o  := $(B)/obj/tests/unit/record/record.o
$(record_o): $(record_tree) tests/unit/record/module.mk
	@mkdir -p $(@D); echo "  CC    $<"
	@$(record_cc) -std=gnu99 $(OPT) -Wall -Wextra -Wno-unused-parameter $(filter -Werror,$(WARN)) -Itests/unit/record \
	  -I$(XEN_SRC)/xen/include -MMD -MP -c -o $@ $<
$(call lib,tests/unit/record): $(record_o)
-include $(record_o:.o=.d)
