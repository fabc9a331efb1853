# SPDX-License-Identifier: GPL-2.0-only
# libwarmvm/guest: what is done with a guest: its image and save file, the conversation with libxl,
# running xl, copying its pages out.
M := libwarmvm/guest
$(M)_SRCS := $(wildcard $(M)/src/*.cpp)
$(M)_USES := libwarmvm/xen libwarmvm/base
$(eval $(call module,$(M)))
