# SPDX-License-Identifier: GPL-2.0-only
# What plugs a resumed guest's devices in, in the place of Xen's hotplug scripts.
roothammer/hotplug_SRCS  := $(wildcard roothammer/hotplug/src/*.cpp)
roothammer/hotplug_USES  := libwarmvm/xen
roothammer/hotplug_LIBS  := -lxxhash
roothammer/hotplug_PROGS := roothammer-hotplug=roothammer/hotplug/hotplug_main.cpp
roothammer/hotplug_STATIC := roothammer-hotplug
$(eval $(call module,roothammer/hotplug))

.PHONY: install-hotplug
install: install-hotplug
install-hotplug: $(B)/bin/roothammer-hotplug
	install -d $(DESTDIR)$(PREFIX)/libexec/roothammer
	install -m 755 $< $(DESTDIR)$(PREFIX)/libexec/roothammer/
	install -m 644 roothammer/hotplug/stock-scripts $(DESTDIR)$(PREFIX)/libexec/roothammer/
	sed 's|@libexec@|$(PREFIX)/libexec/roothammer|' roothammer/hotplug/stock-scripts.bash \
	  > $(DESTDIR)$(PREFIX)/libexec/roothammer/stock-scripts.bash
