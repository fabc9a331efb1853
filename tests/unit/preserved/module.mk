M := tests/unit/preserved
$(M)_USES  := roothammer/preserved
$(M)_TESTS := $(wildcard $(M)/*_test.cpp)
$(eval $(call module,$(M)))
