# SPDX-License-Identifier: GPL-2.0-only
# roothammer/preflight: everything that can be checked before the first guest is frozen, and what the
# next boot will be. The only code that unpacks boot files.
M := roothammer/preflight
$(M)_SRCS := $(wildcard $(M)/src/*.cpp)
$(M)_USES := roothammer/host
$(M)_LIBS := -lz -llzma -lzstd
$(eval $(call module,$(M)))
