# SPDX-License-Identifier: GPL-2.0-only
tests/unit/hotplug_TESTS := $(wildcard tests/unit/hotplug/*_test.cpp)
tests/unit/hotplug_USES  := roothammer/hotplug tests/support
$(eval $(call module,tests/unit/hotplug))
