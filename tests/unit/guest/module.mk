M := tests/unit/guest
$(M)_USES  := tests/fake
$(M)_TESTS := $(wildcard $(M)/*_test.cpp)
$(eval $(call module,$(M)))
