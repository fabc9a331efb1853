M := tests/unit/xen
$(M)_USES  := libwarmvm/xen tests/support
$(M)_TESTS := $(wildcard $(M)/*_test.cpp)
$(eval $(call module,$(M)))
