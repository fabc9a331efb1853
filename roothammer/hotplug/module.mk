# SPDX-License-Identifier: GPL-2.0-only
# What plugs a resumed guest's devices in, in the place of Xen's hotplug scripts.
roothammer/hotplug_SRCS  := $(wildcard roothammer/hotplug/src/*.cpp)
roothammer/hotplug_USES  := libwarmvm/xen
roothammer/hotplug_LIBS  := -lxxhash
roothammer/hotplug_PROGS := roothammer-hotplug=roothammer/hotplug/hotplug_main.cpp
roothammer/hotplug_STATIC := roothammer-hotplug
roothammer/hotplug_INSTALLS := libexec=$(B)/bin/roothammer-hotplug \
  data=roothammer/hotplug/stock-scripts data=roothammer/hotplug/stock-scripts.bash
$(eval $(call module,roothammer/hotplug))
