M := tests/unit/xen
$(M)_USES  := libwarmvm/xen
$(M)_TESTS := $(wildcard $(M)/*_test.cpp)
$(eval $(call module,$(M)))
