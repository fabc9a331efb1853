# roothammer policy: when a host is to be rebooted warmly, by itself. The program `roothammer` is
# linked here, since it is what knows both the commands and the policy.
roothammer/policy_SRCS  := $(wildcard roothammer/policy/src/*.cpp)
roothammer/policy_USES  := roothammer libwarmvm
roothammer/policy_PROGS := roothammer=roothammer/roothammer_main.cpp
$(eval $(call module,roothammer/policy))
