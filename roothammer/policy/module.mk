# SPDX-License-Identifier: GPL-2.0-only
# roothammer policy: when a host is to be rebooted warmly, by itself. The program `roothammer` is
# linked here, since it is what knows both the commands and the policy.
roothammer/policy_SRCS  := $(wildcard roothammer/policy/src/*.cpp)
roothammer/policy_USES  := roothammer
roothammer/policy_PROGS := roothammer=roothammer/roothammer_main.cpp
roothammer/policy_INSTALLS := sbin=$(B)/bin/roothammer \
  $(addprefix unit=,$(wildcard roothammer/policy/systemd/*)) \
  example=roothammer/policy/cron/roothammer-policy.cron \
  conf=roothammer/policy/roothammer-policy.conf \
  man8=docs/man/roothammer-policy.8 man5=docs/man/roothammer-policy.conf.5
$(eval $(call module,roothammer/policy))
