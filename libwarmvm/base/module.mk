# libwarmvm/base: bytes, errors, files, processes, locks, the log. No Xen header, nothing of ours.
M := libwarmvm/base
$(M)_SRCS := $(wildcard $(M)/src/*.cpp)
$(eval $(call module,$(M)))
