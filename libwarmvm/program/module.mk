# SPDX-License-Identifier: GPL-2.0-only
# libwarmvm/program: what every program an operator runs has in common: its command line, and how it
# ends.
M := libwarmvm/program
$(M)_SRCS := $(wildcard $(M)/src/*.cpp)
$(M)_USES := libwarmvm/base
$(M)_LIBS := -lboost_program_options
$(eval $(call module,$(M)))
