M := tests/unit/guest
$(M)_USES  := tests/fake tests/support
$(M)_TESTS := $(wildcard $(M)/*_test.cpp)
$(eval $(call module,$(M)))
