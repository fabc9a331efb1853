# SPDX-License-Identifier: GPL-2.0-only
# roothammer/host: a host that is rebooted warmly, through all its ports: its guests, running and
# preserved, dom0 itself, and the plan of one warm reboot.
M := roothammer/host
$(M)_SRCS := $(wildcard $(M)/src/*.cpp)
$(M)_USES := roothammer/preserved
$(eval $(call module,$(M)))
