# SPDX-License-Identifier: GPL-2.0-only
# libwarmvm/base: bytes, errors, files, processes, locks, the log. No Xen header, nothing of ours.
M := libwarmvm/base
$(M)_SRCS  := $(wildcard $(M)/src/*.cpp)
$(M)_FLAGS := -DWARMVM_VERSION='"$(VERSION)"'
$(call obj,$(M)/src/version.cpp): VERSION
$(eval $(call module,$(M)))
